"""Names, titles and sets of own actions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from recognizer.actions import model
from recognizer.actions.model import (
    ActionSet,
    OwnAction,
    checked_name,
    checked_title,
    merged,
    with_background,
    with_examples,
    with_network,
)
from recognizer.errors import ActionsError
from tests.support.action_sets import CLIPS, SPACE, action_set, example


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  walking  ", "walking"),
        ("lifts\ta   box", "lifts a box"),
        ("Schu\u0308tteln", "Schütteln"),
        ("指差し確認", "指差し確認"),
        ("jump 🏃", "jump 🏃"),
        ("🏃\u200d♀\ufe0f", "🏃\u200d♀\ufe0f"),
        ("می\u200cدود\u200c", "می\u200cدود"),
        ("x" * 60, "x" * 60),
    ],
)
def test_a_name_is_kept_as_it_is_meant(typed: str, name: str) -> None:
    assert checked_name(typed) == name


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("\u200d \u200c", "is empty"),
        ("x" * 61, "has 61 characters; use up to 60"),
        ("x" * 10**7, "has 10,000,000 characters"),
        ("sit\x00", "cannot be shown"),
        ("sit\u202e", "cannot be shown"),
        ("sit\ud800", "cannot be shown"),
        ("Unknown", "another meaning"),
        (" none of These", "another meaning"),
    ],
)
def test_what_is_no_name_gets_a_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(ActionsError, match=sentence):
        checked_name(typed)


def test_a_title_is_checked_like_a_name() -> None:
    assert checked_title(" Gym ") == "Gym"
    with pytest.raises(ActionsError, match="the title of a set is empty"):
        checked_title("")


def test_an_example_of_a_known_moment_takes_its_place() -> None:
    taught = action_set("walk", "sit")
    again = replace(example("walk", 0), example_id="again", action="Sit")
    found = with_examples(taught, [again])
    assert len(found.examples) == len(taught.examples)
    assert next(one for one in found.examples if one.example_id == "again").action == "sit"  # as the set spells it
    assert with_examples(taught, [replace(example("walk", 0), example_id="same")]) is taught


def test_a_full_set_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    taught = action_set("walk", "sit")
    monkeypatch.setattr(model, "MOST_EXAMPLES", 8)
    monkeypatch.setattr(model, "MOST_ACTIONS", 2)
    with pytest.raises(ActionsError, match="up to 8 examples"):
        with_examples(taught, [example("walk", 50)])
    with pytest.raises(ActionsError, match="up to 2 actions"):
        with_examples(taught, [example("run", 50)])


def test_merged_sets_share_names_and_moments() -> None:
    ours, theirs = action_set("walk", "sit"), action_set("Sit", "run")
    theirs = replace(theirs, examples=(*theirs.examples, replace(example("run", 0), example_id="other")))
    both = merged(ours, theirs)
    assert [one.name for one in both.actions] == ["walk", "sit", "run"]
    assert len({one.moment_key for one in both.examples}) == len(both.examples)
    # what ours says of a moment counts
    assert [one.action for one in both.examples if one.moment_key == example("run", 0).moment_key] == ["walk"]
    assert merged(both, theirs).sha256 == both.sha256


def test_a_set_without_examples_takes_the_others_network() -> None:
    empty = ActionSet("empty", "Empty", None, None, (OwnAction("walk"),))
    found = merged(empty, action_set("walk", "sit"))
    assert (found.space, found.clips, found.names) == (SPACE, CLIPS, ("walk", "sit"))


def test_hash_follows_what_decides_the_names() -> None:
    taught = action_set("walk", "sit")
    assert replace(taught, title="Other", revision=9).sha256 == taught.sha256
    assert replace(taught, examples=taught.examples[::-1]).sha256 == taught.sha256
    renamed = tuple(replace(one, action="run") if one.action == "walk" else one for one in taught.examples)
    for other in (
        replace(taught, examples=taught.examples[1:]),
        replace(taught, examples=renamed),
        replace(taught, backgrounds=taught.backgrounds[1:]),
        replace(taught, space=SPACE._replace(weights_sha256="0" * 64)),
        replace(taught, examples=(replace(taught.examples[0], posture=taught.examples[0].posture + 1),)),
    ):
        assert other.sha256 != taught.sha256


def test_what_does_not_fit_is_said_with_both_values() -> None:
    taught = action_set("walk", "sit")
    assert taught.misfit(SPACE, 2) is None
    assert "taught with i3d, and this analysis is by s3d" in str(taught.misfit(SPACE._replace(classifier="s3d"), 2))
    assert "Surroundings on, and this analysis has them off" in str(taught.misfit(SPACE, 1))
    assert taught.remark(CLIPS) is None
    # at 25 frames per second, 32 samples span what 38 do at 30
    assert taught.remark(CLIPS._replace(samples=32, backend="openvino-bfloat16", span_s=2.56)) is None
    assert taught.remark(CLIPS._replace(samples=16, span_s=1.07)) == (
        "A clip is 1.1 s long in this analysis and 2.5 s where this set was taught, so names may be less certain."
    )
    assert ActionSet("empty", "Empty").misfit(SPACE, 1) is None


def test_only_the_latest_videos_are_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MOST_BACKGROUNDS", 2)
    one, two = action_set("walk", "sit").backgrounds
    taught = ActionSet("a-set", "A", SPACE, CLIPS)
    for background in (one, two, one, replace(one, video_key="three"), replace(one, features=one.features[:0])):
        taught = with_background(taught, background)
    assert [background.video_key for background in taught.backgrounds] == [two.video_key, "three"]
    assert with_network(taught, SPACE, CLIPS).backgrounds == taught.backgrounds
    assert with_network(taught, SPACE, CLIPS._replace(views=1)).backgrounds == ()
    assert with_network(taught, SPACE._replace(classifier="s3d"), CLIPS).backgrounds == ()
