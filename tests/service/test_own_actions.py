"""Own actions: taught in one analysis, named in others, stored for good."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from recognizer.actions.model import BACKGROUND_CLIPS
from recognizer.actions.set_file import read_set
from recognizer.errors import ActionsError
from recognizer.service.action_sets import ActionSetStore
from recognizer.service.comparisons import ComparisonStore
from recognizer.service.own_actions import OwnActions
from recognizer.service.own_names import Naming
from recognizer.service.shown import View
from recognizer.service.stills import HEIGHT_PX
from recognizer.service.store import AnalysisStore, StoredAnalysis, StoredFile
from recognizer.service.workbench import Workbench
from recognizer.timeline.edits import Hide, Merge, Relabel, Split
from recognizer.timeline.groups import LabelGroups
from recognizer.timeline.model import Timeline
from tests.support.featured import featured_timeline, labels_of, stretch_of
from tests.support.workbench import write_video

TIMELINE = featured_timeline(2, 60.0, action_s=12.0)
FIRST, SECOND = labels_of(TIMELINE, 1)[:2]
ALL = View(0.3, shows_brief=True)


class Desk:
    """One server's own actions, over a data folder."""

    def __init__(self, folder: Path) -> None:
        self.store = AnalysisStore(folder)
        self.naming = Naming(ActionSetStore(self.store.database))
        self.workbench = Workbench(self.store, ComparisonStore(self.store), self.naming)
        self.own = OwnActions(self.store, self.workbench, self.naming)
        self._held: list[StoredAnalysis] = []

    def analysis(self, analysis_id: str, timeline: Timeline) -> StoredAnalysis:
        """Store an analysis; its features stay in memory."""
        name = f"{analysis_id}.mp4"
        stored = self.store.save_analysis(
            analysis_id, StoredFile(self.store.file_path(name), name, str(timeline.video.sha256), 1), timeline
        )
        self._held.append(stored)
        self.workbench.hold(stored)
        return stored

    def mark(self, set_id: str, name: str | None, label: str, analysis_id: str = "one", person_id: int = 1) -> str:
        """Mark a stretch with a network's label as an own action, and return the example's id."""
        stored = self.workbench.analysis(analysis_id)
        assert stored is not None
        start_s, end_s = stretch_of(stored.timeline, person_id, label)
        return self.own.add_example(set_id, analysis_id, person_id, start_s, end_s, name).example_id


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "data")
    made.analysis("one", TIMELINE)
    return made


@pytest.fixture
def taught(desk: Desk) -> str:
    """A set with two actions, from one video."""
    set_id = desk.own.create()
    desk.mark(set_id, "resting", FIRST)
    desk.mark(set_id, "serving", SECOND)
    return set_id


def actions_of(desk: Desk, analysis_id: str = "one", layer: int = 0) -> set[str]:
    opened = desk.workbench.opened(analysis_id)
    assert opened is not None
    shown = opened.show(ALL)
    return {
        one.action for one, lane in zip(shown.segments, shown.lane_of, strict=True) if shown.lanes[lane].layer == layer
    }


def test_own_names_stand_instead_of_the_networks_and_the_network_keeps_the_rest(desk: Desk, taught: str) -> None:
    before = actions_of(desk)
    assert "resting" not in before
    opened = desk.own.choose("one", taught, "instead")
    assert {"resting", "serving"} <= set(opened.labels)
    assert FIRST in opened.labels
    assert {"resting", "serving"} <= actions_of(desk)
    start_s, end_s = stretch_of(TIMELINE, 1, FIRST)
    middle_s = (start_s + end_s) / 2
    named = next(one for one in opened.segments(ALL) if one.person_id == 1 and one.start_s <= middle_s < one.end_s)
    assert named.action == "resting"
    assert opened.machine is TIMELINE  # what is stored of the analysis has not changed
    assert desk.own.choose("one", None).own is None
    assert actions_of(desk) == before


def test_own_names_only_leave_the_rest_unknown(desk: Desk, taught: str) -> None:
    opened = desk.own.choose("one", taught, "only")
    assert opened.labels == ("resting", "serving")
    assert actions_of(desk) <= {"resting", "serving", "unknown"}


def test_own_names_beside_the_networks_have_lanes_of_their_own_that_are_corrected(desk: Desk, taught: str) -> None:
    opened = desk.own.choose("one", taught, "beside")
    assert [(lane.key, opened.layers[lane.layer].name) for lane in opened.lanes()] == [
        ("p1", "My actions"),
        ("p1-1", "i3d"),
        ("p2", "My actions"),
        ("p2-1", "i3d"),
    ]
    assert actions_of(desk) <= {"resting", "serving", "unknown"}
    network = actions_of(desk, layer=1)
    assert FIRST in network
    start_s, end_s = stretch_of(TIMELINE, 1, FIRST)
    changed = desk.workbench.edit("one", [Relabel(1, start_s, end_s, "yawning"), Merge(2, 1)])
    assert changed is not None
    assert "yawning" in actions_of(desk)
    assert "yawning" not in actions_of(desk, layer=1)
    assert {lane.key for lane in changed.lanes()} == {"p1", "p1-1"}  # the merge is one of people, in both


def test_a_set_whose_names_hold_for_nobody_says_so(desk: Desk) -> None:
    made = desk.own.create()
    desk.mark(made, "resting", FIRST)
    desk.mark(made, None, SECOND)
    others = tuple(one for one in TIMELINE.predictions if one.top[0][0] == SECOND)
    other = replace(TIMELINE, predictions=others, video=replace(TIMELINE.video, sha256="cd" * 32))
    desk.analysis("other", other)
    remarks = [own.remark for own in (desk.own.choose(one, made).own for one in ("one", "other")) if own is not None]
    assert remarks == [None, "None of these names holds for anybody here yet; mark a moment in this video too."]


def test_every_change_of_a_set_is_seen_by_the_next_opening(desk: Desk, taught: str) -> None:
    numbers = [desk.own.choose("one", taught, "only").revision.number]

    def number() -> int:
        opened = desk.workbench.opened("one")
        assert opened is not None
        return opened.revision.number

    assert number() == numbers[-1]
    desk.own.rename_action(taught, "resting", "dozing")
    numbers.append(number())
    assert "dozing" in actions_of(desk)
    desk.own.remove_action(taught, "dozing")
    numbers.append(number())
    assert FIRST in actions_of(desk)  # one action alone teaches nothing, so the network's labels are shown
    desk.own.undo(taught)
    numbers.append(number())
    assert "dozing" in actions_of(desk)
    assert numbers == sorted(set(numbers))  # each is new


def test_label_groups_fold_own_names_too(desk: Desk, taught: str) -> None:
    desk.own.choose("one", taught, "instead")
    changed = desk.workbench.set_groups("one", LabelGroups({"at the net": ("serving",)}))
    assert changed is not None
    assert "at the net" in actions_of(desk)
    assert "serving" not in actions_of(desk)
    assert "at the net" in changed.labels


def test_a_moment_of_a_corrected_person_is_taken_from_who_they_were(desk: Desk, taught: str) -> None:
    start_s, end_s = stretch_of(TIMELINE, 2, labels_of(TIMELINE, 2)[0])
    direct = desk.own.add_example(desk.own.create(), "one", 2, start_s, end_s, "x")
    desk.workbench.edit("one", [Split(1, 30.0, 9)])
    desk.workbench.edit("one", [Hide(1), Merge(2, 9)])
    again = desk.own.add_example(desk.own.create(), "one", 9, max(30.0, start_s), max(31.5, end_s), "x")
    assert again.person_id == 9
    assert direct.features.shape == again.features.shape
    with pytest.raises(ActionsError, match="person 2 is not in this analysis"):
        desk.own.add_example(taught, "one", 2, start_s, end_s, "x")


def test_a_moment_ends_with_the_video_and_its_file_can_be_read_again(desk: Desk, taught: str) -> None:
    made = desk.own.add_example(taught, "one", 1, -1e300, 1e300, "anything")
    assert (made.start_s, made.end_s) == (TIMELINE.begins_s, TIMELINE.analysed_s)
    copy = desk.own.load(desk.own.import_set(desk.own.export(taught), "copy.actions"))
    assert copy is not None
    assert len(copy.examples) == 3


def test_another_network_is_refused_with_both_names(desk: Desk, taught: str) -> None:
    other = featured_timeline(1, 20.0, seed=3, weights_sha256="ef" * 32)
    desk.analysis("other", other)
    fit = desk.own.fit(taught, "other")
    assert not fit.fits
    assert fit.why is not None
    assert "cdcdcdcd" in fit.why
    assert "efefefef" in fit.why
    with pytest.raises(ActionsError, match="other weights of i3d"):
        desk.own.choose("other", taught)
    with pytest.raises(ActionsError, match="other weights of i3d"):
        desk.own.add_example(taught, "other", 1, 2.0, 6.0, "resting")


def test_an_analysis_without_features_says_so(desk: Desk, taught: str) -> None:
    bare = replace(TIMELINE, predictions=tuple(replace(one, features=None) for one in TIMELINE.predictions))
    desk.analysis("bare", bare)
    with pytest.raises(ActionsError, match="features of this analysis are not kept"):
        desk.own.add_example(taught, "bare", 1, 2.0, 6.0, "resting")
    assert not desk.own.fit(taught, "bare").fits


def test_a_set_outlives_the_server(desk: Desk, taught: str, tmp_path: Path) -> None:
    desk.own.choose("one", taught, "only")
    before = desk.own.load(taught)
    again = Desk(tmp_path / "data")
    again.analysis("one", TIMELINE)
    after = again.own.load(taught)
    assert before is not None
    assert after is not None
    assert after.sha256 == before.sha256
    assert [one.moment_key for one in after.examples] == [one.moment_key for one in before.examples]
    assert {"resting", "serving"} <= actions_of(again)


def test_a_set_is_exported_imported_and_merged(desk: Desk, taught: str, tmp_path: Path) -> None:
    content = desk.own.export(taught)
    elsewhere = Desk(tmp_path / "elsewhere")
    elsewhere.analysis("one", TIMELINE)
    set_id = elsewhere.own.import_set(content, "mine.actions")
    before, after = desk.own.load(taught), elsewhere.own.load(set_id)
    assert before is not None
    assert after is not None
    assert set_id != taught
    assert (after.title, after.names, after.sha256) == (before.title, before.names, before.sha256)
    elsewhere.own.choose("one", set_id, "only")
    assert {"resting", "serving"} <= actions_of(elsewhere)
    # the same example twice is one; what is new is added, under the spelling that is there
    desk.own.rename_action(taught, "serving", "Serving")
    desk.mark(taught, "jumping", labels_of(TIMELINE, 1)[2])
    assert elsewhere.own.merge(set_id, desk.own.export(taught), "again.actions") == 1
    both = elsewhere.own.load(set_id)
    assert both is not None
    assert both.names == ("resting", "serving", "jumping")
    assert len(both.examples) == 3
    elsewhere.own.undo(set_id)
    undone = elsewhere.own.load(set_id)
    assert undone is not None
    assert undone.sha256 == after.sha256


def test_a_set_of_another_network_cannot_be_merged(desk: Desk, taught: str) -> None:
    desk.analysis("other", featured_timeline(1, 40.0, seed=3, weights_sha256="ef" * 32))
    other = desk.own.create("Theirs")
    desk.own.add_example(other, "other", 1, 2.0, 6.0, "lifting")
    with pytest.raises(ActionsError, match=r"'Theirs' was taught with i3d with .*efefefef.*cdcdcdcd.*one network"):
        desk.own.merge(taught, desk.own.export(other), "theirs.actions")


def test_a_new_analysis_is_named_like_the_one_before_it_until_somebody_chooses(desk: Desk, taught: str) -> None:
    desk.own.choose("one", taught, "beside")
    desk.analysis("again", featured_timeline(2, 60.0, action_s=12.0))
    assert desk.own.carry_over("one", "again")
    assert desk.own.chosen("again")[:2] == (taught, "beside")
    desk.own.choose("again", None)
    assert not desk.own.carry_over("one", "again")
    desk.analysis("foreign", featured_timeline(1, 20.0, weights_sha256="ef" * 32))
    assert not desk.own.carry_over("one", "foreign")
    assert not desk.own.carry_over("again", "foreign")
    assert desk.own.chosen("foreign").set_id is None


def test_videos_that_are_taught_from_or_named_are_the_background(desk: Desk, taught: str) -> None:
    """What others are wrongly named follows from it: see docs/own-actions.md."""

    def keys() -> list[str]:
        found = desk.own.load(taught)
        assert found is not None
        assert all(len(one.features) == BACKGROUND_CLIPS for one in found.backgrounds)
        return [one.video_key for one in found.backgrounds]

    assert keys() == ["ab" * 32]
    desk.analysis("two", featured_timeline(1, 20.0, seed=4, sha256="12" * 32))
    desk.own.choose("two", taught, "only")
    assert keys() == ["ab" * 32, "12" * 32]
    words = desk.own.undo_words(taught)
    desk.own.choose("two", None)
    desk.own.choose("two", taught)
    assert keys() == ["ab" * 32, "12" * 32]
    assert desk.own.undo_words(taught) == words  # to look at a video is no change that anybody takes back


def test_an_example_keeps_its_pictures_when_the_video_is_gone(desk: Desk, tmp_path: Path) -> None:
    timeline = featured_timeline(1, 6.0, action_s=30.0)
    video = write_video(tmp_path / "v.mp4", timeline)
    with video.open("rb") as stream:
        file = desk.store.add_file(stream, "v.mp4")
    stored = desk.store.save_analysis("filmed", file, timeline)
    desk.workbench.hold(stored)
    set_id = desk.own.create()
    example = desk.own.add_example(set_id, "filmed", 1, 1.0, 3.0, "standing")
    assert (example.picture_count, example.video_name, example.video_sha256) == (3, "v.mp4", "ab" * 32)
    file.path.unlink()
    pictures = [desk.own.picture(set_id, example.example_id, number) for number in range(3)]
    sizes = [Image.open(io.BytesIO(picture or b"")).size for picture in pictures]
    assert all(0 < width <= 2 * HEIGHT_PX and 0 < height <= HEIGHT_PX for width, height in sizes)
    later = desk.own.add_example(set_id, "filmed", 1, 4.0, 5.5, None)
    assert later.picture_count == 0
    assert desk.own.picture(set_id, later.example_id, 0) is None
    content = desk.own.export(set_id, with_pictures=True)
    assert [one.picture_count for one in read_set(content, "x").examples] == [3, 0]
    assert [one.picture_count for one in read_set(desk.own.export(set_id), "x").examples] == [0, 0]
