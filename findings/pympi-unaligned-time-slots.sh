#!/usr/bin/env bash
# pympi-ling 1.71 and ELAN's time slots without a value. In a tier of the type "Time Subdivision" only the outer borders
# have times; ELAN spaces the inner ones evenly (EAF format specification, TIME_SLOT: TIME_VALUE is optional) and shows
# "walk" at 0 to 1 s, "turn" at 1 to 2 s, "sit" at 2 to 3 s. pympi
# - gives None for each inner border, and "turn" has no time at all;
# - writes the tier to a Praat TextGrid as one empty interval, without a word: all three annotations are gone;
# - raises TypeError for questions about a time, for that tier.
# A reader must fill in the inner borders itself, before anything else is asked.
# Fails if that changes. Needs Python 3 and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pympi-ling==1.71
cd "$folder"
cat > play.eaf <<'EAF'
<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
  <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="0"/><TIME_SLOT TIME_SLOT_ID="ts2"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"/><TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="3000"/>
  </TIME_ORDER>
  <TIER LINGUISTIC_TYPE_REF="main" TIER_ID="Anna">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a0" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>play</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER LINGUISTIC_TYPE_REF="parts" PARENT_REF="Anna" TIER_ID="Anna's parts">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>walk</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
      <ANNOTATION_VALUE>turn</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>sit</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="main" TIME_ALIGNABLE="true"/>
  <LINGUISTIC_TYPE CONSTRAINTS="Time_Subdivision" GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="parts"
    TIME_ALIGNABLE="true"/>
  <CONSTRAINT DESCRIPTION="Time subdivision of parent annotation's time interval, no time gaps allowed within this interval"
    STEREOTYPE="Time_Subdivision"/>
</ANNOTATION_DOCUMENT>
EAF
venv/bin/python - <<'PYTHON'
import pympi

eaf = pympi.Elan.Eaf("play.eaf")
read = eaf.get_annotation_data_for_tier("Anna's parts")
print("read:", read)
assert read == [(0, None, "walk"), (None, None, "turn"), (None, 3000, "sit")]

grid = eaf.to_textgrid()
tiers = {name: grid.get_tier(number).get_all_intervals() for number, name in grid.get_tier_name_num()}
print("as a TextGrid:", tiers)
assert tiers["Anna"] == [(0.0, 3.0, "play")] and [text for *_, text in tiers["Anna's parts"]] == [""]

try:
    print(eaf.get_annotation_data_at_time("Anna's parts", 1500))
except TypeError as error:
    print("what is at 1.5 s:", type(error).__name__, error)
else:
    raise SystemExit("pympi now answers for times between the outer borders")
PYTHON
