#!/usr/bin/env bash
# praatIO 6.2.2 (praatio/utilities/textgrid_io.py) reads two kinds of valid TextGrids wrongly, without a word:
# - a short one that does not end with a newline loses its last interval: _fetchTextRow looks for the newline after the
#   text, and _parseShortTextgrid takes the ValueError for the end of the tier;
# - a long one loses the minus sign of a time: the pattern is "xmin ?= ?-?([\d.]+)", with the sign outside the group.
# Praat reads both: it only looks for free-standing numbers and texts in quotes (its manual, "TextGrid file formats").
# Fails if praatIO changes. Needs Python 3 and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check praatio==6.2.2
"$folder/venv/bin/python" - <<'PYTHON'
from praatio.utilities.textgrid_io import parseTextgridStr

head = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
short = head + '0\n2\n<exists>\n1\n"IntervalTier"\n"Anna"\n0\n2\n2\n0\n1\n"walk"\n1\n2\n"sit"'
for end, words in (("", "without"), ("\n", "with")):
    print(f"short, {words} a last newline:", list(parseTextgridStr(short + end)["tiers"][0]["entries"]))
assert [one.label for one in parseTextgridStr(short)["tiers"][0]["entries"]] == ["walk"]
assert [one.label for one in parseTextgridStr(short + "\n")["tiers"][0]["entries"]] == ["walk", "sit"]

span = "xmin = -1\nxmax = 2\n"
long = f'{head}{span}tiers? <exists>\nsize = 1\nitem []:\nitem [1]:\nclass = "IntervalTier"\nname = "Anna"\n{span}'
long += f'intervals: size = 1\nintervals [1]:\n{span}text = "walk"\n'
print("long, from -1 to 2 s:", list(parseTextgridStr(long)["tiers"][0]["entries"]))
assert [float(one.start) for one in parseTextgridStr(long)["tiers"][0]["entries"]] == [1.0]
PYTHON
