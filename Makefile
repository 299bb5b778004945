# Two commands: `make run` opens the app, `make test` runs the tests. Both set up what they need in .venv first.
# Works with GNU make 3.81, the version that macOS includes.

VENV := .venv
BIN := $(VENV)/bin
SHELL := /bin/sh

# The first of these that the pinned packages support; choose another with `make run PYTHON=...`.
PYTHON_OK := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	if "$$name" -c '$(PYTHON_OK)' >/dev/null 2>&1; then echo "$$name"; break; fi; done)

# What pip is configured with (index, certificates, …) decides where packages come from; nothing here sets that.
INSTALL := $(BIN)/python .ci/install.py $(INSTALL_FLAGS)
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

# one process for each core, up to four (each loads PyTorch); WORKERS=0 runs all tests in one process, for a debugger
WORKERS ?= logical
# A container may forbid Python to store what it compiles; each worker, and each program of a test, would compile anew.
PYTEST := env -u PYTHONDONTWRITEBYTECODE .ci/in-memory $(BIN)/python -m pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: help run setup test test-fast check lint types layers format constraints clean distclean
.DEFAULT_GOAL := help

help: ## Show this list
	@echo "make run          set everything up, fetch the default networks and open the app"
	@echo "make test         set everything up and run the tests (ARGS='-k timeline' narrows them)"
	@echo "make test-fast    only the tests without real networks, clips, browsers, whole pages and other programs"
	@echo "make check        lint, formatting, types and the layer rule"
	@echo "make format       format the code and mend what the linter can"
	@echo "make setup        only create $(VENV) and install requirements.txt"
	@echo "make constraints  write constraints.txt from what is installed in $(VENV)"
	@echo "make clean        remove what checks and tests leave behind"
	@echo "make distclean    remove $(VENV) too"

run: $(INSTALLED)
	$(BIN)/python -m recognizer weights --ready
	@# one person on their own machine sees everything, unless they say otherwise
	RECOGNIZER_LIMIT_ALONE=$${RECOGNIZER_LIMIT_ALONE-true} $(BIN)/python -m streamlit run app.py

setup: $(INSTALLED)

test: $(INSTALLED_DEV)
	$(PYTEST) $(ARGS)

test-fast: $(INSTALLED_DEV)
	$(PYTEST) -m "not real and not browser and not slow" $(ARGS)

check: types lint layers

lint: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/oxlint --deny-warnings recognizer

types: $(INSTALLED_DEV)
	$(BIN)/mypy

layers: $(INSTALLED_DEV)
	$(BIN)/lint-imports

format: $(INSTALLED_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The stamp is written last, so an interrupted installation runs again.
$(INSTALLED): requirements.txt requirements-headless.txt constraints.txt | $(BIN)/python
	$(INSTALL) -r requirements.txt
	@# without libGL (a server, a container), OpenCV's build without windows replaces the other
	@$(BIN)/python -c 'import cv2' 2>/dev/null || $(INSTALL) --no-deps -r requirements-headless.txt
	@$(BIN)/python -c 'import cv2'
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt $(INSTALLED)
	$(INSTALL) -r requirements-dev.txt
	@touch $@

$(BIN)/python:
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c '$(PYTHON_OK)' 2>/dev/null; then \
		echo "Python 3.11 to 3.14 is needed and '$(or $(PYTHON),python3)' is not one; install one or name it: make run PYTHON=/path/to/python3.12" >&2; \
		exit 1; fi
	"$(PYTHON)" -m venv --clear $(VENV)

constraints: $(INSTALLED_DEV)
	$(BIN)/python -m pip freeze --all --exclude pip --exclude uv > $(VENV)/frozen.txt
	@sed -n 's/^\([A-Za-z0-9._-]*\)==.*/^\1==/p' requirements.txt requirements-dev.txt requirements-headless.txt requirements-ray.txt > $(VENV)/direct.txt
	@grep '^#' constraints.txt > $(VENV)/constraints.txt
	@grep -vi -f $(VENV)/direct.txt $(VENV)/frozen.txt >> $(VENV)/constraints.txt
	@cp $(VENV)/constraints.txt constraints.txt

clean:
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
