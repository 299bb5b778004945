"""The settings in the sidebar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest

from recognizer.service.store import AnalysisStore, StoredFile
from recognizer.settings import SETTING_SPECS, Range, Scope, Settings, SettingSpec, recommended
from tests.support.networks import Networks
from tests.support.pages import (
    SETTING_TITLES,
    analyse,
    choose_preset,
    errors,
    open_page,
    tab,
    upload_video,
    uploader,
    widget,
    words,
)

pytestmark = pytest.mark.slow


def test_every_setting_has_a_help_text_in_plain_words(page: AppTest) -> None:
    for title in SETTING_TITLES:
        assert len(widget(page, title).help.split()) > 8, title
    for at_uploader in page.file_uploader:
        assert at_uploader.help


def test_settings_offer_what_is_allowed_and_start_with_the_documented_defaults(page: AppTest) -> None:
    for title, name in SETTING_TITLES.items():
        shown = widget(page, title)
        assert shown.value == getattr(Settings(), name), title
        spec = SETTING_SPECS[name]
        if spec.limits is not None:
            assert (shown.min, shown.max) == spec.limits, title
        if spec.choices:
            assert len(shown.options) == len(spec.choices), title


def test_browser_is_told_the_classifier_and_the_preset_in_every_run(networks: Networks) -> None:
    """A run that another one overtook had not told it yet: it showed S3D and no preset, and analysed with S3D then."""
    at = open_page()
    widget(at, "Classifier").set_value("i3d").run()
    at.run()
    classifier = widget(at, "Classifier")
    assert classifier.value == "i3d"
    assert classifier.proto.set_value
    assert classifier.proto.raw_value == classifier.options[classifier.index]
    (preset,) = [one for one in at.get("button_group") if one.proto.label == "Preset"]
    assert preset.proto.set_value
    choose_preset(at, "documented")
    assert tab(at).sidebar.preset == "documented", "the user has the last word"
    widget(at, "Classifier").set_value("s3d").run()
    assert widget(at, "Classifier").value == "s3d"


def test_browser_is_told_in_a_few_runs_what_no_preset_decides(networks: Networks) -> None:
    """A setting showed its first option or lowest value, if the run that set it was overtaken."""
    at = open_page()
    told = [widget(at, "Tracker").proto.set_value]
    for _ in range(5):
        at.run()
        told.append(widget(at, "Tracker").proto.set_value)
    assert (told[:2], told[-1]) == ([True, True], False), "what the user moves must not be moved back"
    widget(at, "Tracker").set_value("bytetrack").run()
    assert widget(at, "Tracker").value == "bytetrack"


def test_a_new_setting_gets_a_widget_by_its_entry_alone(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = SettingSpec("Zoom", "--zoom", "How far.", Scope.CLIP, limits=Range(0.0, 0.8), form="%.1f", recommended=0.5)
    # in the place of another, because Settings has no field zoom
    monkeypatch.setitem(SETTING_SPECS, "overlap", replace(spec, name="overlap"))
    zoom = widget(open_page(), "Zoom")
    assert (zoom.min, zoom.max, zoom.help) == (0.0, 0.8, "How far.")


@pytest.mark.parametrize(
    ("title", "value"),
    [
        ("Classifier", "swin3d_t"),
        ("Crop margin", 35),
        ("Sequence length", 64),
        ("Skip interval", 30),
        ("Detector", "yolo26x.pt"),
        ("Detector confidence", 0.05),
        ("Tracker", "ocsort"),
        ("Overlap", 0.9),
        ("Device", "cpu"),
        ("Steady crop", True),
        ("Surroundings", True),
        ("Calibrated confidence", True),
        ("Smoothing", 2.5),
    ],
)
def test_widget_sets_its_own_setting_and_no_other(page: AppTest, title: str, value: object) -> None:
    before = tab(page).sidebar.settings
    assert before is not None
    widget(page, title).set_value(value)
    page.run()
    assert not page.exception
    after = tab(page).sidebar.settings
    assert after is not None
    changed = {
        name: new
        for (name, new), old in zip(after.as_dict().items(), before.as_dict().values(), strict=True)
        if new != old
    }
    assert changed == {SETTING_TITLES[title]: value}


def test_line_tells_how_long_a_clip_is_in_this_video(page: AppTest, make_video: Callable[..., Path]) -> None:
    assert "One clip spans **0.53 s** at 30 frames/s" in words(page)
    assert "first label comes 0.53 s" in words(page)
    assert "shorter stay" not in words(page), "these clips are short already"
    upload_video(page, make_video("slow.mp4", frames=20, fps=10))
    assert "One clip spans **1.60 s**" in words(page)


def test_short_clips_are_warned_of(page: AppTest) -> None:
    assert "Most actions need a second or more" in words(page)
    choose_preset(page, "recommended")
    assert "Most actions need a second or more" not in words(page)
    assert "A shorter stay is labelled too, from 0.25 s on." in words(page)


def test_clips_longer_than_the_video_are_warned_of(page: AppTest, make_video: Callable[..., Path]) -> None:
    for title in ("Sequence length", "Skip interval"):
        widget(page, title).set_value(30)
    page.run()
    assert "longer than this video" not in words(page), "there is none"
    upload_video(page, make_video("short.mp4", frames=60, fps=10))
    (told,) = page.sidebar.warning
    assert "longer than this video (6.00 s): lower the sequence length or the skip interval" in told.value
    assert "first label comes" not in words(page), "in this video it does not"
    widget(page, "Sequence length").set_value(2)
    widget(page, "Skip interval").set_value(1)
    page.run()
    assert "longer than this video" not in words(page)


def test_the_page_starts_with_what_is_recommended_and_says_what_that_is(networks: Networks) -> None:
    at = open_page()
    assert tab(at).sidebar.settings == recommended(Settings(video_classifier_model="s3d"))
    assert "seconds of each person" in words(at)
    assert widget(at, "Sequence length").value == 32


def test_recommended_follows_the_frame_rate_of_the_video_and_the_classifier(
    networks: Networks, make_video: Callable[..., Path]
) -> None:
    at = open_page()
    upload_video(at, make_video("slow.mp4", frames=20, fps=10))
    assert (widget(at, "Skip interval").value, widget(at, "Sequence length").value) == (1, 21)
    widget(at, "Classifier").set_value("mvit_v2_s")
    at.run()
    assert widget(at, "Sequence length").value == 21
    assert tab(at).sidebar.preset == "recommended"


def test_a_setting_that_is_moved_makes_them_ones_own_and_a_preset_puts_it_back(page: AppTest) -> None:
    widget(page, "Overlap").set_value(0.75)
    page.run()
    assert tab(page).sidebar.preset == "custom"
    assert tab(page).sidebar.settings == Settings(overlap=0.75)
    widget(page, "Tracker").set_value("ocsort")
    page.run()
    choose_preset(page, "documented")
    assert tab(page).sidebar.settings == Settings(tracker="ocsort")


def test_browser_that_has_not_heard_of_ones_own_settings_does_not_bring_the_preset_back(page: AppTest) -> None:
    """Regression: Analyse was pressed right after a slider, and the analysis went by the preset."""

    def control() -> Any:
        (found,) = [one for one in page.segmented_control if one.label == "Preset"]
        return found

    choose_preset(page, "documented")
    old = control()
    widget(page, "Sequence length").set_value(16)
    page.run()
    assert control().value is None
    assert control().id != old.id, "what the browser says of the old one is said of nothing now"
    page.run()
    assert tab(page).sidebar.settings == Settings(num_video_sequence_samples=16)


def test_network_that_is_not_downloaded_is_marked(page: AppTest, networks: Networks) -> None:
    networks.missing |= {"swin3d_b", "yolo26x.pt"}
    page.run()
    mark = " · not downloaded yet"
    assert len([text for text in widget(page, "Classifier").options if text.endswith(mark)]) == 1
    assert [text for text in widget(page, "Detector").options if text.endswith(mark)] == [f"YOLO26X{mark}"]


def test_chosen_settings_are_those_of_the_analysis(page: AppTest, clip: Path) -> None:
    upload_video(page, clip)
    chosen: dict[str, object] = {
        "Classifier": "i3d",
        "Crop margin": 25,
        "Sequence length": 4,
        "Skip interval": 3,
        "Detector confidence": 0.6,
        "Overlap": 0.5,
        "Tracker": "ocsort",
    }
    for title, value in chosen.items():
        widget(page, title).set_value(value)
    page.run()
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    for title, value in chosen.items():
        assert getattr(run.timeline.settings, SETTING_TITLES[title]) == value


def test_checkpoint_without_labels_says_what_is_missing(page: AppTest, clip: Path) -> None:
    uploader(page, "Checkpoint").upload("mine.pt", b"not a checkpoint")
    page.run()
    assert "The label file is missing" in words(page)
    settings = tab(page).sidebar.settings
    assert settings is not None
    assert settings.checkpoint_path is None
    upload_video(page, clip)
    analyse(page)
    assert not page.error


def test_own_checkpoint_with_a_wrong_file_gets_one_sentence(page: AppTest, clip: Path) -> None:
    uploader(page, "Checkpoint").upload("mine.pt", b"not a checkpoint" * 100)
    uploader(page, "Labels").upload("labels.txt", b"fight\nnoFight\n")
    page.run()
    assert "In use: mine.pt with labels.txt" in words(page)
    upload_video(page, clip)
    analyse(page)
    (told,) = errors(page)
    assert told.endswith(".")
    assert "\n" not in told
    assert "log of the server" not in told
    assert tab(page).analyse.shown is None


def test_checkpoint_is_on_the_disk_stays_on_other_pages_and_can_be_removed(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: Streamlit held it in memory, up to 2 GB, until its tab was closed."""
    add_file = AnalysisStore.add_file
    held: list[Any] = []

    def looked_at(self: AnalysisStore, *upload: Any, **whose: Any) -> StoredFile:
        context = get_script_run_ctx()
        assert context is not None
        held.append(context.uploaded_file_mgr)
        return add_file(self, *upload, **whose)

    monkeypatch.setattr(AnalysisStore, "add_file", looked_at)
    uploader(page, "Checkpoint").upload("mine.pt", b"not a checkpoint")
    page.run()
    uploader(page, "Labels").upload("labels.txt", b"fight\nnoFight\n")
    page.run()
    assert not page.exception
    assert [len(files) for one in held for files in one.file_storage.values()] == [0, 0]
    page.switch_page("pages/compare.py").run()
    page.switch_page("pages/analyse.py").run()
    assert "In use: mine.pt with labels.txt" in words(page)
    [remove] = [one for one in page.button if one.key == "own-checkpoint-remove"]
    remove.click()
    page.run()
    assert "The checkpoint is missing" in words(page)


def test_another_checkpoint_of_the_same_name_and_size_takes_the_place_of_the_first(page: AppTest) -> None:
    uploader(page, "Labels").upload("labels.txt", b"fight\nnoFight\n")
    uploader(page, "Checkpoint").upload("best.pt", b"first  training")
    page.run()
    first = tab(page).sidebar.settings
    uploader(page, "Checkpoint").upload("best.pt", b"second training")
    page.run()
    second = tab(page).sidebar.settings
    assert first is not None
    assert second is not None
    assert first.checkpoint_path is not None
    assert second.checkpoint_path is not None
    assert Path(second.checkpoint_path).read_bytes() == b"second training"
