"""The README's tables of settings and classifiers, made from the tables in the code.

``python -m tests.support.readme`` puts them into the README.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from recognizer.classifier_specs import GFLOPS_FRAMES, SPECS
from recognizer.settings import BY_CLASSIFIER, SETTING_SPECS, SettingSpec, specs_by_scope
from tests.support.environment import ROOT

README = ROOT / "README.md"
DOCUMENTED_COUNT = 5


def documented_settings() -> str:
    return _settings(list(SETTING_SPECS.values())[:DOCUMENTED_COUNT])


def other_settings() -> str:
    documented = list(SETTING_SPECS)[:DOCUMENTED_COUNT]
    return _settings([spec for spec in specs_by_scope() if spec.name not in documented])


def classifiers() -> str:
    return _table(
        ("name", "network", "top-1 on Kinetics-400, published", "parameters", f"GFLOPs for {GFLOPS_FRAMES} frames"),
        [
            (
                f"`{spec.name}`",
                spec.title,
                f"{spec.top1_percent:.1f} %{' (test set)' if 'test set' in spec.accuracy_source else ''}",
                f"{spec.parameters / 1e6:.1f} M",
                f"{spec.gflops:.1f}",
            )
            for spec in SPECS.values()
        ],
    )


TABLES: dict[str, Callable[[], str]] = {
    "documented settings": documented_settings,
    "other settings": other_settings,
    "classifiers": classifiers,
}


def _settings(specs: list[SettingSpec]) -> str:
    return _table(
        ("in the sidebar", "argument", "default", "what it does"),
        [(_title(spec), f"`{spec.name}`", _default(spec), f"{spec.help}{_allowed(spec)}") for spec in specs],
    )


def _title(spec: SettingSpec) -> str:
    return spec.title if spec.sidebar else "(command line)"


def _default(spec: SettingSpec) -> str:
    text = _value(spec.default)
    if spec.recommended == BY_CLASSIFIER:
        return f"{text}, recommended: by classifier"
    if spec.recommended in (None, spec.default):
        return text
    return f"{text}, recommended: {_value(spec.recommended)}"


def _value(value: object) -> str:
    if value is None:
        return "none"
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else f"`{value}`"


def _allowed(spec: SettingSpec) -> str:
    if spec.limits is not None:
        return f" {spec.limits.low:g} to {spec.limits.high:g}."
    return f" {', '.join(f'`{choice}`' for choice in spec.choices)}." if spec.choices else ""


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, *rows)).replace(
        "\n", f"\n|{'---|' * len(header)}\n", 1
    )


def in_readme(name: str) -> str:
    """Return the table of this name as the README has it."""
    return _place(name).search(README.read_text(encoding="utf-8"))[1]  # type: ignore[index]


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- table: {name} -->\n)(.*?)(?=\n<!-- end -->)", re.DOTALL)


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    for table_name, make in TABLES.items():
        text = _place(table_name).sub(lambda _, make=make: make(), text)  # type: ignore[misc]
    README.write_text(text, encoding="utf-8")
