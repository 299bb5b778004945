"""How long an analysis will take: what is known from earlier runs, and what is honestly unknown."""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from recognizer.networks.loading import Models
from recognizer.service import estimates
from recognizer.service.estimates import CostStore, Estimate, Meter, RunCost, estimate, estimate_comparison
from recognizer.settings import Settings
from recognizer.types import VideoInfo
from tests.support.workbench import generated_timeline

SETTINGS = Settings(skip_frame=2, num_video_sequence_samples=16)
HOUR = VideoInfo("b" * 64, 1280, 720, Fraction(30), 3600.0, 108_000, "h264")


@pytest.fixture
def earlier() -> RunCost:
    """1000 samples took 20 s to follow people, and 100 clips 10 s to label."""
    return RunCost(
        machine=estimates._machine(),
        following=estimates._following(SETTINGS),
        labeling=estimates._labeling(SETTINGS),
        video_sha256="a" * 64,
        megapixels=0.9216,
        samples=1000,
        people=1.2,
        clips=100,
        following_s=20.0,
        labeling_s=10.0,
    )


def expected_s(video: VideoInfo, costs: list[RunCost], settings: Settings = SETTINGS) -> float:
    found = estimate(video, settings, costs)
    assert found is not None
    return found.expected_s


def test_expected_time_grows_with_samples_and_clips(earlier: RunCost) -> None:
    samples, clips = 54_000, 1.2 * 54_000 / 12
    assert expected_s(HOUR, [earlier]) == pytest.approx(samples * 0.02 + clips * 0.1)
    half = replace(HOUR, frame_count=54_000)
    assert expected_s(half, [earlier]) == pytest.approx(expected_s(HOUR, [earlier]) / 2)


def test_long_analysis_names_a_longer_skip_interval(earlier: RunCost) -> None:
    found = estimate(replace(HOUR, frame_count=800_000), SETTINGS, [earlier])
    assert found is not None
    assert found.is_long
    assert found.text == ("Takes about 3 h 20 min on this machine; a skip interval of 8 takes about 56 min.")


def test_short_analysis_says_only_how_long(earlier: RunCost) -> None:
    found = estimate(replace(HOUR, frame_count=900), SETTINGS, [earlier])
    assert found is not None
    assert not found.is_long
    assert found.text == "Takes about 14 s on this machine."
    assert Estimate(40.0).longer_skip is None


def test_length_without_a_number_of_pictures_is_enough(earlier: RunCost) -> None:
    """Three hours at one picture a second, and a million tiny pictures, get an estimate too."""
    slow = VideoInfo(None, 640, 480, Fraction(1), 10_800.0, None, "h264")
    assert expected_s(slow, [earlier]) == pytest.approx(5400 * 0.02 + 540 * 0.1)
    tiny = VideoInfo(None, 16, 16, Fraction(30), None, 1_000_000, "h264")
    assert expected_s(tiny, [earlier]) == pytest.approx(500_000 * 0.02 + 50_000 * 0.1)


def test_decoding_decides_where_few_of_many_large_pictures_are_samples(earlier: RunCost) -> None:
    large = VideoInfo(None, 7680, 4320, Fraction(60), None, 60_000, "hevc")
    rare = replace(SETTINGS, skip_frame=30)
    assert expected_s(large, [earlier], rare) > 60_000 * 33 * estimates._DECODE_S_PER_MEGAPIXEL


def test_comparison_follows_people_once(earlier: RunCost) -> None:
    i3d = replace(SETTINGS, video_classifier_model="i3d", num_video_sequence_samples=32)
    slower = replace(earlier, labeling=estimates._labeling(i3d), labeling_s=50.0)
    found = estimate_comparison(HOUR, [SETTINGS, i3d], [earlier, slower])
    assert found is not None
    seen = 1.2 * 54_000
    assert found.expected_s == pytest.approx(54_000 * 0.02 + seen / 12 * 0.1 + seen / 24 * 0.5)
    assert estimate_comparison(HOUR, [SETTINGS, i3d], [earlier]) is None
    assert estimate_comparison(HOUR, [SETTINGS], []) is None


def test_what_is_not_known_is_not_made_up(earlier: RunCost) -> None:
    assert estimate(HOUR, SETTINGS, []) is None
    assert estimate(replace(HOUR, frame_count=None, duration_s=None), SETTINGS, [earlier]) is None
    assert estimate(HOUR, replace(SETTINGS, model="yolo26x.pt"), [earlier]) is None
    assert estimate(HOUR, replace(SETTINGS, video_classifier_model="i3d"), [earlier]) is None
    assert estimate(HOUR, SETTINGS, [replace(earlier, machine="another")]) is None


def test_runs_on_the_same_video_count_before_others(earlier: RunCost) -> None:
    same = replace(earlier, video_sha256=HOUR.sha256, following_s=40.0, people=0.0)
    assert expected_s(HOUR, [earlier, same]) == pytest.approx(54_000 * 0.04)


def test_runs_on_pictures_of_a_similar_size_count_more(earlier: RunCost) -> None:
    large = replace(earlier, megapixels=8.0, following_s=80.0, people=0.0)
    near = replace(earlier, people=0.0)
    assert expected_s(HOUR, [near, large]) == pytest.approx(54_000 * 0.02)
    assert expected_s(replace(HOUR, width=3840, height=2160), [large, near]) == pytest.approx(54_000 * 0.08)


def test_two_runs_outvote_all_before_them_and_one_does_not(earlier: RunCost) -> None:
    """Regression: a video that took 9 s twice was said to take 34 s, because the machine had been busy all week."""
    busy, idle = replace(earlier, people=0.0, following_s=160.0), replace(earlier, people=0.0)
    assert expected_s(HOUR, [busy] * 50 + [idle] * 2) == pytest.approx(54_000 * 0.02)
    assert expected_s(HOUR, [idle] * 50 + [busy]) == pytest.approx(54_000 * 0.02)
    slow = replace(earlier, labeling_s=80.0)
    labels_s = expected_s(HOUR, [slow] * 50 + [earlier] * 2) - 54_000 * 0.02
    assert labels_s == pytest.approx(1.2 * 54_000 / 12 * 0.1)


def test_a_long_run_counts_more_than_one_of_a_few_pictures(earlier: RunCost) -> None:
    """A video of a second takes as long as its first clip, before which the network is compiled."""
    short = replace(earlier, samples=2, following_s=2.0, clips=1, labeling_s=4.0)
    assert expected_s(HOUR, [earlier, short, short]) == pytest.approx(expected_s(HOUR, [earlier]))


def test_clips_of_the_same_length_count_before_others(earlier: RunCost) -> None:
    clips, following_s = 1.2 * 54_000 / 12, 54_000 * 0.02
    same, longer = replace(earlier, clip_samples=16), replace(earlier, clip_samples=32, labeling_s=40.0)
    assert expected_s(HOUR, [same, longer, longer]) - following_s == pytest.approx(clips * 0.1)
    assert expected_s(HOUR, [longer]) - following_s == pytest.approx(clips * 0.2), "half of the samples"


def test_costs_are_kept_and_the_oldest_forgotten(
    tmp_path: Path, earlier: RunCost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimates, "_REMEMBERED", 2)
    store = CostStore(tmp_path / "new" / "costs.json")
    assert store.all() == []
    for samples in (1, 2, 3):
        store.add(replace(earlier, samples=samples))
    store.add(None)
    assert [one.samples for one in CostStore(tmp_path / "new" / "costs.json").all()] == [2, 3]


@pytest.mark.parametrize("content", ["{", "[1]", '[{"samples": 1}]', "\u00ff"])
def test_damaged_costs_are_measured_again(
    tmp_path: Path, earlier: RunCost, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "costs.json"
    path.write_text(content, encoding="latin-1")
    store = CostStore(path)
    with caplog.at_level(logging.WARNING):
        assert store.all() == []
    assert "is measured again" in caplog.text
    store.add(earlier)
    assert store.all() == [earlier]


class Labeler:
    """A classifier that labels whatever it is given."""

    name, labels = "s3d", ("a",)

    def classify(self, clips: list[Any]) -> list[Any]:
        return clips


def measured(*, labels_all: bool = True, found_earlier: bool = False, complete: bool = True) -> RunCost | None:
    timeline = generated_timeline(2, 6.0, action_s=2.0)
    timeline = replace(timeline, complete=complete, provenance={"classifier_backend": "pytorch"})
    meter = Meter(Models(cast(Any, None), cast(Any, Labeler())))
    meter.models.classifier.classify(cast(Any, timeline.predictions if labels_all else timeline.predictions[1:]))
    meter.see(cast(Any, SimpleNamespace(from_crops=found_earlier)))
    return meter.cost(timeline)


def test_only_a_whole_analysis_is_a_measure() -> None:
    cost = measured()
    assert cost is not None
    assert cost.clips > 0
    assert cost.samples > 0
    assert measured(labels_all=False) is None, "resumed"
    assert measured(found_earlier=True) is None
    assert measured(complete=False) is None
