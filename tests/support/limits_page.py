"""The table of ``docs/limits.md``, made from the table in the code: ``python -m tests.support.limits_page``."""

from __future__ import annotations

import re
from dataclasses import fields

from recognizer.limits import Limits, value_text
from tests.support.environment import ROOT

PAGE = ROOT / "docs" / "limits.md"
_TABLE = re.compile(r"(?<=<!-- limits -->\n).*?(?=\n<!-- end -->)", re.DOTALL)


def table() -> str:
    rows = [
        f"| `{one.name}` | {value_text(one.name, one.default)} | {one.metadata['help']} |" for one in fields(Limits)
    ]
    return "\n".join(("| name | default | what it limits |", "|---|---|---|", *rows))


def in_page() -> str:
    found = _TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None, "docs/limits.md has no place for the table"
    return found[0]


if __name__ == "__main__":
    PAGE.write_text(_TABLE.sub(lambda _: table(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
