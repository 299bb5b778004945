"""The settings: the documented contract, refused values, and the presets."""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizer.classifier_specs import SPECS
from recognizer.errors import RecognizerError, SettingsError
from recognizer.networks.detector import LOWEST_CONFIDENCE
from recognizer.settings import (
    BY_CLASSIFIER,
    CLASSIFIER_NAMES,
    PRESET_FIELDS,
    RANGES,
    SETTING_SPECS,
    Range,
    Scope,
    Settings,
    documented,
    preset_of,
    recommended,
    setting,
    specs_by_scope,
    specs_of,
)
from tests.support.environment import ROOT
from tests.support.settings import another

DOCUMENTED = {
    "model": "yolo26n.pt",
    "video_classifier_model": "s3d",
    "crop_margin_percentage": 10,
    "num_video_sequence_samples": 8,
    "skip_frame": 2,
}


def test_the_five_documented_arguments_keep_names_order_and_defaults() -> None:
    parameters = list(inspect.signature(Settings).parameters.values())
    assert {p.name: p.default for p in parameters[:5]} == DOCUMENTED
    assert [p.name for p in parameters[:5]] == list(DOCUMENTED)


def test_every_classifier_of_the_table_can_be_chosen() -> None:
    assert set(SPECS) == set(CLASSIFIER_NAMES)
    for name in SPECS:
        assert Settings(video_classifier_model=name).video_classifier_model == name


@pytest.mark.parametrize("name", list(RANGES))
def test_both_ends_of_a_range_are_allowed_and_the_next_values_are_not(name: str) -> None:
    low: Any
    high: Any
    low, high = RANGES[name]
    step = 1 if isinstance(low, int) else 0.001
    assert getattr(Settings(**{name: low}), name) == low
    assert getattr(Settings(**{name: high}), name) == high
    for value in (low - step, high + step):
        with pytest.raises(SettingsError, match=rf"{name} is .*from {low:g} to {high:g}\.$"):
            Settings(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("skip_frame", 2.0),
        ("skip_frame", True),
        ("skip_frame", "2"),
        ("skip_frame", None),
        ("num_video_sequence_samples", 8.5),
        ("crop_margin_percentage", "10"),
        ("overlap", float("nan")),
        ("overlap", float("inf")),
        ("overlap", "0.5"),
        ("min_person_confidence", float("nan")),
        ("min_person_confidence", False),
        ("model", "yolov8n.pt"),
        ("model", ["yolo26n.pt"]),
        ("video_classifier_model", "S3D"),
        ("video_classifier_model", None),
        ("tracker", "sort"),
        ("device", "cuda:0"),
        ("precision", "int8"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_its_name_and_the_remedy(name: str, value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**{name: value})
    message = str(caught.value)
    assert message.startswith(f"{name} is ")
    assert "choose one of" in message or "give a" in message
    assert message.endswith(".")
    assert isinstance(caught.value, RecognizerError)


def test_a_checkpoint_without_labels_is_refused_and_the_other_way_round() -> None:
    with pytest.raises(SettingsError, match=r"^labels_path is missing"):
        Settings(checkpoint_path="mine.pth")
    with pytest.raises(SettingsError, match=r"^checkpoint_path is missing"):
        Settings(labels_path="mine.txt")
    assert Settings(checkpoint_path="mine.pth", labels_path="mine.txt").labels_path == "mine.txt"


def test_a_clip_spans_its_samples_times_the_interval() -> None:
    settings = Settings(num_video_sequence_samples=32, skip_frame=2)
    assert settings.sample_interval_s(25.0) == 0.08
    assert settings.clip_span_s(25.0) == pytest.approx(2.56)


def test_by_default_the_next_label_comes_after_three_quarters_new_samples() -> None:
    assert Settings().new_samples_per_clip == 6
    assert Settings(num_video_sequence_samples=32).new_samples_per_clip == 24


@given(samples=st.integers(1, 64), overlap=st.floats(0.0, 0.9))
def test_new_samples_are_between_one_and_the_whole_clip_and_near_the_share(samples: int, overlap: float) -> None:
    settings = Settings(num_video_sequence_samples=samples, overlap=overlap)
    assert 1 <= settings.new_samples_per_clip <= samples
    assert abs(settings.new_samples_per_clip - samples * (1 - overlap)) <= 1


@given(skip=st.integers(1, 30), rate_hz=st.floats(1.0, 240.0))
def test_the_allowed_gap_is_a_second_or_lets_one_sample_follow_another(skip: int, rate_hz: float) -> None:
    settings = Settings(skip_frame=skip)
    gap_s = settings.max_gap_s(rate_hz)
    assert gap_s >= 1.0
    assert settings.sample_interval_s(rate_hz) < gap_s
    if settings.sample_interval_s(rate_hz) <= 0.5:
        assert gap_s == 1.0


@pytest.mark.parametrize("name", list(SETTING_SPECS))
def test_every_setting_is_described(name: str) -> None:
    spec = SETTING_SPECS[name]
    assert spec.name == name
    assert spec.title
    assert spec.option.startswith("--")
    assert spec.help.endswith(".")
    spec.check(spec.default)
    if spec.recommended not in (None, BY_CLASSIFIER):
        spec.check(spec.recommended)
    assert set(spec.choice_titles) <= set(spec.choices)
    if spec.limits is not None:
        assert spec.form % spec.limits.high
        assert isinstance(spec.limits.low, spec.kind)


def test_titles_and_options_are_each_used_once() -> None:
    for attribute in ("title", "option"):
        used = [getattr(spec, attribute) for spec in SETTING_SPECS.values()]
        assert len(set(used)) == len(used)


def test_scopes_partition_the_settings() -> None:
    by_scope = {scope: {name for name, spec in SETTING_SPECS.items() if spec.scope is scope} for scope in Scope}
    assert all(by_scope.values())
    assert sorted(name for names in by_scope.values() for name in names) == sorted(one.name for one in fields(Settings))
    assert [spec.name for spec in specs_by_scope()] == [
        name for scope in Scope for name in SETTING_SPECS if name in by_scope[scope]
    ]


def test_a_field_without_a_spec_is_refused() -> None:
    @dataclass(frozen=True)
    class Careless(Settings):
        zoom: int = 1

    with pytest.raises(TypeError, match="zoom has no SettingSpec"):
        Careless()


def test_a_new_setting_is_one_entry() -> None:
    @dataclass(frozen=True)
    class Extended(Settings):
        zoom: float = setting(
            1.0, title="Zoom", option="--zoom", help="How far.", scope=Scope.CROP, limits=Range(0.5, 2.0)
        )

    assert Extended(zoom=2).as_dict() == {**Settings().as_dict(), "zoom": 2}
    with pytest.raises(SettingsError, match=r"^zoom is 3; give a value from 0\.5 to 2\.$"):
        Extended(zoom=3)
    assert specs_of(Extended)["zoom"].default == 1.0
    assert "zoom" not in SETTING_SPECS


@pytest.mark.parametrize("name", list(SETTING_SPECS))
def test_the_crop_style_changes_with_the_settings_of_its_scope_and_no_others(name: str) -> None:
    changed = another(name)
    assert (changed.crop_style != Settings().crop_style) == (SETTING_SPECS[name].scope is Scope.CROP)


def test_the_json_schema_knows_every_setting() -> None:
    schema = json.loads((ROOT / "docs" / "timeline.schema.json").read_text(encoding="utf-8"))
    described = schema["properties"]["settings"]["properties"]
    assert set(described) == set(SETTING_SPECS)
    kinds = {str: "string", bool: "boolean", int: "integer", float: "number"}
    for name, spec in SETTING_SPECS.items():
        kind = kinds[spec.kind]
        assert described[name]["type"] == (kind if spec.default is not None else [kind, "null"]), name
        if spec.kind is int:
            assert spec.limits is not None
            assert (described[name]["minimum"], described[name]["maximum"]) == spec.limits, name
        assert tuple(described[name].get("enum", spec.choices)) == spec.choices, name


def test_settings_go_through_a_dictionary_and_can_be_compared() -> None:
    settings = Settings(skip_frame=3, overlap=0.5)
    assert Settings(**settings.as_dict()) == settings
    assert hash(Settings(**settings.as_dict())) == hash(settings)
    assert settings != Settings()


def test_the_detector_reports_everyone_that_the_lowest_setting_asks_for() -> None:
    """Regression: the detector dropped boxes under 0.1, although 0.05 was allowed."""
    assert RANGES["min_person_confidence"].low >= LOWEST_CONFIDENCE


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


def test_a_preset_changes_nothing_else() -> None:
    own = Settings(video_classifier_model="i3d", tracker="ocsort", min_person_confidence=0.6, device="cpu")
    for preset in (recommended(own), documented(own)):
        kept = {name: value for name, value in preset.as_dict().items() if name not in PRESET_FIELDS}
        assert kept == {name: value for name, value in own.as_dict().items() if name not in PRESET_FIELDS}


def test_the_documented_preset_is_the_documented_defaults() -> None:
    assert documented(recommended(Settings())) == Settings()


def test_settings_are_recognised_as_a_preset_or_as_custom() -> None:
    assert preset_of(Settings()) == "documented"
    assert preset_of(recommended(Settings(tracker="ocsort"), 10.0), 10.0) == "recommended"
    assert preset_of(recommended(Settings(), 10.0), 30.0) == "custom"
    assert preset_of(Settings(overlap=0.75)) == "custom"
