"""How videos are analyzed: what counts as the same, and what a file of settings may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from recognizer.batch.recipe import Recipe, read_recipe
from recognizer.errors import SettingsError
from recognizer.settings import SETTING_SPECS, Settings, recommended


def test_defaults_that_are_written_out_change_nothing() -> None:
    assert Recipe().digest == Recipe(own={"skip_frame": 2}, min_confidence=0.0).digest
    assert Recipe().digest != Recipe(own={"skip_frame": 3}).digest


@pytest.mark.parametrize(
    "other",
    [
        Recipe(preset="recommended"),
        Recipe(min_confidence=0.5),
        Recipe(min_duration_s=1.0),
        Recipe(stream=1),
        Recipe(frame_rate_hz=30.0),
        Recipe(own={"keep_features": False}),
    ],
)
def test_whatever_decides_a_result_counts(other: Recipe) -> None:
    assert other.digest != Recipe().digest


def test_the_recommended_preset_follows_the_frame_rate_of_each_video() -> None:
    recipe = Recipe(preset="recommended", own={"video_classifier_model": "i3d", "overlap": 0.25})
    for rate_hz in (25.0, 50.0):
        settings = recipe.settings_at(rate_hz)
        assert settings.overlap == 0.25
        assert settings.skip_frame == recommended(Settings(video_classifier_model="i3d"), rate_hz).skip_frame
    assert recipe.least_confidence == 0.3


def test_own_weights_count_by_their_bytes(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\n")
    digests = []
    for name, content in (("one.pth", b"1"), ("two.pth", b"1"), ("one.pth", b"2")):
        (tmp_path / name).write_bytes(content)
        values = {"checkpoint": name, "labels": "labels.txt", "classifier": "mc3_18"}
        digests.append(Recipe().with_values(values, "a test", tmp_path).digest)
    assert digests[0] == digests[1] != digests[2]
    (tmp_path / "one.pth").unlink()
    with pytest.raises(SettingsError, match=r"one\.pth' cannot be read"):
        assert Recipe().with_values(values, "a test", tmp_path).digest


def test_a_file_of_settings(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(
        'preset = "recommended"\nclassifier = "i3d"\nskip = 1\nmin_duration = 0.5\nsurroundings = false\n'
        "overlap = 0\nstream = 2\n"
    )
    recipe = read_recipe(path, Recipe())
    assert recipe.own == {"video_classifier_model": "i3d", "skip_frame": 1, "surroundings": False, "overlap": 0.0}
    assert (recipe.preset, recipe.min_duration_s, recipe.stream) == ("recommended", 0.5, 2)
    assert recipe.names_a_classifier


def test_every_setting_can_stand_in_a_file(tmp_path: Path) -> None:
    for spec in SETTING_SPECS.values():
        if spec.default is not None:
            option = spec.option.removeprefix("--")
            assert Recipe().with_values({option: spec.default}, "a test").own == {spec.name: spec.default}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"clasifier": "i3d"}, "lab.toml sets 'clasifier', which is not a setting; choose from preset, "),
        ({"classifier": "i4d"}, "video_classifier_model is 'i4d'; choose one of s3d,"),
        ({"skip": 1.5}, "skip_frame is 1.5; give a value like 2."),
        ({"skip": "many"}, "skip_frame is 'many'; give a value like 2."),
        ({"skip": 99}, "skip_frame is 99; give a value from 1 to 30."),
        ({"surroundings": "perhaps"}, "surroundings is 'perhaps'; give a value like False."),
        ({"preset": "best"}, "preset is 'best'; choose one of documented, recommended."),
        ({"min_confidence": 2}, "min_confidence is 2; give a number from 0 to 1."),
        ({"min_duration": -1}, "min_duration is -1; give a number from 0 up."),
        ({"stream": -1}, "stream is -1; give a whole number from 0 on."),
        ({"checkpoint": "x.pth"}, "labels_path is missing; a checkpoint and its label file go together."),
    ],
)
def test_what_does_not_fit_is_a_sentence(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Recipe().with_values(values, "lab.toml")
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("lab.toml")


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_recipe(tmp_path / "gone.toml", Recipe())
    (tmp_path / "lab.toml").write_text("skip = ")
    with pytest.raises(SettingsError, match="is not TOML"):
        read_recipe(tmp_path / "lab.toml", Recipe())


def test_a_recipe_travels_as_json() -> None:
    recipe = Recipe(own={"skip_frame": 1, "overlap": 0.0, "surroundings": True, "tracker": "bytetrack"}, stream=1)
    copy = msgspec.json.decode(msgspec.json.encode(recipe), type=Recipe)
    assert (copy, copy.digest) == (recipe, recipe.digest)
