"""Exports of an analysis that own actions name say which set, and how its names are shown."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np

from recognizer import export
from recognizer.actions.naming import Verdicts, named
from recognizer.export import Content, timeline_from_json, timeline_json
from recognizer.export.content import content_of
from recognizer.timeline.corrections import Corrected
from tests.support.action_sets import action_set
from tests.support.featured import featured_timeline
from tests.support.tables import rows_of

TIMELINE = featured_timeline(1, 20.0)
SET = action_set("walk", "sit")


def content() -> Content:
    confidence = np.zeros((len(TIMELINE.predictions), 2))
    confidence[::2, 0] = 0.9
    verdicts = Verdicts(("walk", "sit"), confidence, confidence.max(axis=1) >= 0.3)
    return content_of(Corrected(named(TIMELINE, verdicts, SET, "instead")), "v.mp4", min_confidence=0.3)


def test_rows_name_the_set_where_the_name_is_its_own() -> None:
    made = export.format_of(".csv").write(content())
    assert isinstance(made, bytes)
    rows = rows_of(made)
    by = {row["action"]: row["classifier"] for row in rows}
    assert by.pop("walk") == "i3d: Everyday"
    assert set(by.values()) == {"i3d"}


def test_json_and_readme_name_the_set_its_hash_and_the_mode() -> None:
    document = json.loads(export.format_of(".json").write(content()))
    assert document["provenance"]["own_actions"] == "Everyday"
    assert document["provenance"]["own_actions_mode"] == "instead"
    assert document["provenance"]["own_actions_sha256"] == SET.sha256
    made = export.BUNDLE.write(content())
    assert isinstance(made, bytes)
    with zipfile.ZipFile(io.BytesIO(made)) as bundle:
        (readme,) = [name for name in bundle.namelist() if "README" in name]
        text = bundle.read(readme).decode()
    assert "OWN NAMES of the set 'Everyday' stand for labels" in text
    assert "an own name where one holds, the network's label elsewhere" in text


def test_a_named_timeline_comes_back_from_its_json() -> None:
    own = content().timeline
    again = timeline_from_json(timeline_json(own, include_boxes=True, include_frame_times=True))
    assert again.provenance == own.provenance
    assert again.segments(0.3) == own.segments(0.3)
