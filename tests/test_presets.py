"""Settings that go well together."""

from __future__ import annotations

import pytest

from recognizer.networks.classifiers.specs import SPECS
from recognizer.presets import PRESET_FIELDS, documented, preset_of, recommended
from recognizer.settings import CLASSIFIER_NAMES, Settings


@pytest.mark.parametrize("name", CLASSIFIER_NAMES)
@pytest.mark.parametrize("rate_hz", [5.0, 10.0, 24.0, 25.0, 30000 / 1001, 50.0, 60.0, 240.0, 1000.0])
def test_a_recommended_clip_is_legal_and_spans_the_same_time_at_any_frame_rate(name: str, rate_hz: float) -> None:
    usual = recommended(Settings(video_classifier_model=name))
    here = recommended(Settings(video_classifier_model=name), rate_hz)
    if 10 <= rate_hz <= 240:
        assert here.clip_span_s(rate_hz) == pytest.approx(usual.clip_span_s(30.0), rel=0.15)
    assert here.skip_frame >= 1


@pytest.mark.parametrize("name", CLASSIFIER_NAMES)
def test_a_recommended_clip_is_no_longer_than_the_network_takes(name: str) -> None:
    samples = recommended(Settings(video_classifier_model=name)).num_video_sequence_samples
    assert SPECS[name].length.network_length(samples) == samples


def test_a_preset_leaves_alone_what_is_not_its_own() -> None:
    own = Settings(video_classifier_model="i3d", tracker="ocsort", min_person_confidence=0.6, device="cpu")
    for preset in (recommended(own), documented(own)):
        kept = {name: value for name, value in preset.as_dict().items() if name not in PRESET_FIELDS}
        assert kept == {name: value for name, value in own.as_dict().items() if name not in PRESET_FIELDS}


def test_the_documented_preset_is_the_documented_defaults() -> None:
    assert documented(recommended(Settings())) == Settings()


def test_settings_are_recognised_as_a_preset_or_ones_own() -> None:
    assert preset_of(Settings()) == "documented"
    assert preset_of(recommended(Settings(tracker="ocsort"), 10.0), 10.0) == "recommended"
    assert preset_of(recommended(Settings(), 10.0), 30.0) == "custom"
    assert preset_of(Settings(overlap=0.75)) == "custom"
