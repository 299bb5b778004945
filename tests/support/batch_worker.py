"""A worker's process that does what the name of a video says; it starts at once, because it loads nothing."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any


def _say(**report: Any) -> None:
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


def _work(number: int, deed: str, out: str) -> None:
    if deed.startswith("dies-once") and not os.path.exists(mark := os.path.join(out, deed)):  # noqa: PTH110, PTH118
        with open(mark, "w"):  # noqa: PTH123
            os._exit(9)
    if deed.startswith("dies") and not deed.startswith("dies-once"):
        os._exit(9)
    if deed.startswith("hangs"):
        time.sleep(60)
    if deed.startswith("eats"):
        kept = bytearray(300 * 10**6)
        kept[::4096] = b"x" * len(kept[::4096])
        time.sleep(60)
    if deed.startswith("sleeps"):
        time.sleep(0.3)
    _say(type="Advanced", number=number, analysed_s=1.0)
    _say(type="Outcome", number=number, state="done", key=f"{number:032}", sha256=str(os.getpid()), took_s=0.1)


def main() -> None:
    """Serve the parent."""
    for line in sys.stdin:
        order = json.loads(line)
        if order["type"] == "Stop":
            return
        _say(type="Began", number=order["number"])
        _work(order["number"], order["place"], order["out"])


if __name__ == "__main__":
    main()
