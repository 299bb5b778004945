"""The recommended settings label people correctly, and say unknown where they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.labels import Tally
from benchmarks.true_actions import CLIPS, bystanders
from recognizer.analysis.file import analyze
from recognizer.networks.cache import ModelCache
from recognizer.settings import Settings, recommended

pytestmark = pytest.mark.real

WITH_A_LABEL = ("stgcn_ta_chi.mp4", "decord_flipping_a_pancake.mkv", "c12_two_signers_ccby.mp4")
WITHOUT = ("moviepy_chaplin.mp4",)


@pytest.fixture(scope="module")
def networks() -> ModelCache:
    return ModelCache()


@pytest.fixture(scope="module")
def tally(clips_dir: Path, networks: ModelCache) -> Tally:
    counted = Tally()
    for name in WITH_A_LABEL + WITHOUT:
        settings = recommended(Settings(video_classifier_model="i3d"), 30.0)
        timeline = analyze(clips_dir / name, settings, models=networks.get(settings))
        counted.add(timeline, CLIPS[name](timeline))
        counted.add_bystanders(timeline, bystanders(name, timeline))
    return counted


def test_most_of_the_time_is_labelled_correctly(tally: Tally) -> None:
    assert tally.people == 4
    assert tally.first == 4
    assert tally.time_right > 0.8


def test_people_with_a_known_action_get_a_label_and_the_others_mostly_do_not(tally: Tally) -> None:
    # a few clips, the hardest among them; docs/accuracy.md has 82 % and 14 % over all clips
    assert tally.named(True) >= 0.7
    assert tally.named(False) <= 0.4


def test_a_person_behind_a_cook_is_not_labelled_as_cooking(tally: Tally) -> None:
    """Regression: with the cook in their surroundings, they were labelled as flipping it for two thirds of the time."""
    assert tally.bystanders.time_s > 5
    assert tally.bystanders.share < 0.2
