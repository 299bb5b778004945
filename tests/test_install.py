"""How packages get into the environment: with uv where it gets what pip would, else with pip."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.environment import ROOT, new_environment, skip_or_fail

SCRIPT = ROOT / ".ci" / "install.py"


@pytest.fixture(scope="module")
def install() -> ModuleType:
    spec = spec_from_file_location("install", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_environment_beats_the_section_of_install_and_that_the_global_one(install: ModuleType) -> None:
    listed = [
        ":env:.index-url='https://c/simple'",
        "global.index-url='https://a/simple'",
        "global.extra_index_url='https://d/simple\\nhttps://e/simple'",
        "install.find-links='/wheels'",
        "list.format='json'",
        "install.index-url='https://b/simple'",
        ":env:.find-links=''",
    ]
    assert install.effective(listed) == {
        "index-url": "https://c/simple",
        "extra-index-url": "https://d/simple\nhttps://e/simple",
        "find-links": "/wheels",
    }


def test_uv_looks_where_pip_looks_and_no_address_is_on_a_command_line(install: ModuleType) -> None:
    configuration = {
        "index-url": "https://user:secret@a/simple",
        "extra-index-url": "https://d/simple\nhttps://e/simple",
        "find-links": "/wheels https://user:secret@b/more",
        "cert": "/ca.pem",
        "timeout": "60",
    }
    assert install.for_uv(configuration) == {
        "UV_DEFAULT_INDEX": "https://user:secret@a/simple",
        "UV_INDEX": "https://d/simple https://e/simple",
        "UV_FIND_LINKS": "/wheels,https://user:secret@b/more",
        "SSL_CERT_FILE": "/ca.pem",
        "UV_HTTP_TIMEOUT": "60",
    }


@pytest.mark.parametrize("option", ["proxy", "client-cert", "no-index", "require-hashes", "no-binary", "of-tomorrow"])
def test_whoever_told_pip_what_uv_cannot_do_gets_pip(install: ModuleType, option: str) -> None:
    assert install.for_uv({"index-url": "https://a/simple", option: "1"}) is None


def test_a_quiet_pip_tells_its_index(install: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: it listed nothing, and uv would have installed from the public index."""
    monkeypatch.setenv("PIP_QUIET", "2")
    monkeypatch.setenv("PIP_INDEX_URL", "https://a/simple")
    configuration = install.pip_configuration()
    assert configuration is not None
    assert configuration["index-url"] == "https://a/simple"


def test_a_configuration_that_pip_cannot_read_is_left_to_pip(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text("index-url = https://a/simple\n")  # in no section
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert install.pip_configuration() is None
    assert not install.install_with_uv(["tiny"])


def plain() -> dict[str, str]:
    """Return this environment without anybody's configuration of pip and uv."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    return own | {"PIP_CONFIG_FILE": os.devnull}


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A new environment that sees this one's libraries, among them pip and uv; returns its Python."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.is_file():
        skip_or_fail("uv is not in this environment; `make setup` installs it")
    scripts = new_environment(tmp_path / "environment")
    (scripts / "uv").symlink_to(uv)
    return scripts / "python"


@pytest.fixture
def index(tmp_path: Path) -> str:
    """The address of a package index with one package, ``tiny``."""
    folder = tmp_path / "simple" / "tiny"
    folder.mkdir(parents=True)
    name = "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(
            "tiny-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("tiny-1.0.dist-info/RECORD", "tiny.py,,\ntiny-1.0.dist-info/RECORD,,\n")
    (folder / "index.html").write_text(f'<a href="{name}">{name}</a>')
    return (tmp_path / "simple").as_uri()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="make is not used there")
@pytest.mark.parametrize(
    ("configured", "installer"),
    [
        ({"PIP_INDEX_URL": "{index}"}, "uv"),
        ({"PIP_INDEX_URL": "{index}", "PIP_QUIET": "1"}, "uv"),
        ({"PIP_INDEX_URL": "{empty}", "PIP_FIND_LINKS": "{empty} {index}/tiny"}, "uv"),
        ({"PIP_INDEX_URL": "{index}", "PIP_PROXY": "http://127.0.0.1:9"}, "pip"),
    ],
)
def test_a_package_of_the_users_index_is_installed(
    environment: Path, index: str, tmp_path: Path, configured: dict[str, str], installer: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"index": index, "empty": (tmp_path / "empty").as_uri()}
    done = subprocess.run(
        [str(environment), str(SCRIPT), "--no-compile", "tiny"],
        env=plain() | {name: value.format(**places) for name, value in configured.items()},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (marked,) = environment.parent.parent.glob("lib/python*/site-packages/tiny-1.0.dist-info/INSTALLER")
    assert marked.read_text().strip() == installer, done.stderr
    assert not (environment.parent.parent / ".uv-cache").exists()


@pytest.mark.slow
def test_what_cannot_be_installed_is_told_by_pip() -> None:
    configured = plain() | {"PIP_NO_INDEX": "1"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "there-is-no-such-package"],
        env=configured,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "there-is-no-such-package" in done.stderr
