"""Choosing a video on the page "Analyse a video"."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest

from recognizer import weights
from recognizer.dashboard import server
from recognizer.errors import WeightsError
from recognizer.service.runs import RunQuery
from recognizer.service.store import AnalysisStore, StoredFile
from tests.support.ffmpeg import ffmpeg
from tests.support.pages import (
    analyse,
    button,
    current_video,
    errors,
    has_button,
    open_page,
    request_rerun,
    settle,
    shows_result,
    tab,
    upload_video,
    uploader,
    words,
)

pytestmark = pytest.mark.slow


def test_page_without_video_says_what_to_do_and_offers_a_sample(page: AppTest) -> None:
    assert page.title[0].value == "Who does what, when"
    assert "Drop in a video" in words(page)
    assert uploader(page, "Drop in a video").help
    assert has_button(page, "Try a sample")
    assert not has_button(page, "Analyse")
    assert not page.error
    assert not page.subheader


def test_dropped_video_is_shown_with_its_facts_and_can_be_analysed(page: AppTest, clip: Path) -> None:
    upload_video(page, clip, "my clip.mp4")
    assert "my clip.mp4" in words(page)
    assert "64 × 48" in words(page)
    assert "30 frames/s" in words(page)
    assert "2.0 s" in words(page)
    assert "H.264" in words(page)
    assert has_button(page, "Analyse")
    assert not page.error
    assert Path(current_video(page).file.path).read_bytes() == clip.read_bytes()
    (listed,) = server.library().listing(RunQuery()).items
    assert (listed.run.kind, listed.run.name, listed.facts["duration_s"]) == ("video", "my clip.mp4", 2.0)


def test_dropped_video_is_on_the_disk_and_no_longer_in_memory(
    page: AppTest, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: Streamlit held every file that had been dropped in until its tab was closed."""
    add_recording = AnalysisStore.add_recording
    held: list[Any] = []

    def looked_at(self: AnalysisStore, *uploads: Any, **whose: Any) -> StoredFile:
        context = get_script_run_ctx()
        assert context is not None
        held.append(context.uploaded_file_mgr)
        assert len(held[-1].file_storage[context.session_id]) == 1
        return add_recording(self, *uploads, **whose)

    monkeypatch.setattr(AnalysisStore, "add_recording", looked_at)
    upload_video(page, clip)
    wrong = tmp_path / "letter.mp4"
    wrong.write_bytes(b"Dear all, " * 50)
    upload_video(page, wrong)
    assert errors(page)
    assert [len(files) for one in held for files in one.file_storage.values()] == [0, 0]


def test_click_while_a_video_is_copied_does_not_lose_it(
    page: AppTest, clip: Path, make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: the video was stored, and counted as the visitor's, but was neither shown nor listed."""
    upload_video(page, make_video("first.mp4", frames=30))
    add_recording = AnalysisStore.add_recording

    def clicked_meanwhile(self: AnalysisStore, *uploads: Any, **whose: Any) -> StoredFile:
        file = add_recording(self, *uploads, **whose)
        request_rerun()
        return file

    monkeypatch.setattr(AnalysisStore, "add_recording", clicked_meanwhile)
    upload_video(page, clip)
    assert current_video(page).file.name == "clip.mp4"
    assert {one.run.name for one in server.library().listing(RunQuery()).items} == {"clip.mp4", "first.mp4"}


def test_rerun_asked_for_before_a_video_is_copied_does_not_lose_it(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: a page that had just opened asked for its history, and lost the video that was dropped in then."""
    spinner = st.spinner
    asked: list[str] = []

    def asked_before(text: str) -> AbstractContextManager[None]:
        if not asked:
            asked.append(text)
            request_rerun()
        return spinner(text)

    monkeypatch.setattr(st, "spinner", asked_before)
    upload_video(page, clip)
    assert asked
    assert current_video(page).file.name == "clip.mp4"


def test_codec_that_browsers_do_not_play_gets_a_copy_that_they_do(
    page: AppTest, make_video: Callable[..., Path]
) -> None:
    upload_video(page, make_video("old.avi", frames=30, codec="mjpeg", pix_fmt="yuvj420p"))
    settle(page)
    video = current_video(page)
    assert not video.playable
    assert video.preview is not None
    assert video.preview.error is None
    assert video.preview.result is not None
    assert video.preview.result.is_file()
    assert "Browsers cannot play this file" in words(page)


def test_wrong_file_is_told_in_one_sentence_and_what_was_there_stays(page: AppTest, clip: Path, tmp_path: Path) -> None:
    upload_video(page, clip)
    analyse(page)
    run = tab(page).analyse.shown
    for name, content in (
        ("letter.mp4", b"Dear all, " * 50),
        ("nothing.mp4", b""),
        ("list.mp4", b"#EXTM3U\n/etc/passwd\n"),
    ):
        wrong = tmp_path / f"wrong-{name}"
        wrong.write_bytes(content)
        upload_video(page, wrong, name)
        (told,) = errors(page)
        assert name in told
        assert told.endswith(".")
        assert "\n" not in told
        assert tab(page).analyse.shown is run
        assert current_video(page).file.name == "clip.mp4"
        assert shows_result(page)
    kept = current_video(page).file.path
    assert list(kept.parent.glob("*.mp4")) == [kept], "nothing is left of refused files"
    assert [one.run.kind for one in server.library().listing(RunQuery()).items] == ["analysis"]
    upload_video(page, clip, "good again.mp4")
    assert not page.error
    assert "good again.mp4" in words(page)


def test_name_with_html_is_shown_letter_by_letter(page: AppTest, clip: Path) -> None:
    name = "<img src=x onerror=alert(1)>**b** [l](http://example.com).mp4"
    upload_video(page, clip, name)
    analyse(page)
    shown = [one for kind in (page.subheader, page.markdown) for one in kind if "img src" in one.value]
    assert len(shown) == 2, "in the header and among the facts"
    for one in shown:
        assert "\\<img" in one.value
        assert not getattr(one, "allow_html", False)
    assert name in words(page)


def test_sample_that_cannot_be_had_is_told_and_one_that_can_is_shown_with_its_source(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(progress: Any = None) -> Any:
        raise WeightsError("no sample video can be had; drop in a video of your own.")

    monkeypatch.setattr(weights, "sample_video", none)
    button(page, "Try a sample").click()
    page.run()
    assert errors(page) == ["No sample video can be had; drop in a video of your own."]
    sample = weights.SampleVideo(clip, "Somebody", "CC-BY-4.0", "An archive")
    monkeypatch.setattr(weights, "sample_video", lambda progress=None: sample)
    button(page, "Try a sample").click()
    page.run()
    assert not page.error
    assert "Somebody. Walking is none of the 400 actions" in words(page)
    assert "An archive, CC-BY-4.0." in words(page)
    assert has_button(page, "Analyse")


def test_video_that_is_no_longer_kept_leaves_its_timeline_readable(page: AppTest, clip: Path) -> None:
    upload_video(page, clip)
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    for path in run.video_path.parent.iterdir():
        path.unlink()
    page.run()
    assert not page.exception
    assert "'clip.mp4' is no longer stored here" in words(page)
    assert shows_result(page)
    assert not has_button(page, "Analyse")
    fresh = open_page(run=run.analysis_id)
    assert shows_result(fresh)


# --- parts and choices


def drop_together(at: AppTest, *paths: Path) -> None:
    """Drop several files into the field at once."""
    field = uploader(at, "Drop in")
    for path in paths:
        field.upload(path.name, path.read_bytes(), "video/mp4")
    at.run()
    assert not at.exception


def test_parts_dropped_in_together_are_one_recording(page: AppTest, make_video: Callable[..., Path]) -> None:
    chapters = [make_video(f"GX0{k}0042.MP4", frames=30 + k, fps=30) for k in (2, 1)]
    drop_together(page, *chapters)
    assert "GX010042.MP4 and 1 more part" in words(page)
    assert "2 files read as one recording" in words(page)
    assert "2.1 s" in words(page)
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    assert run.timeline.video.frame_count == 63
    assert [part.name for part in run.timeline.reading.parts] == ["GX010042.MP4", "GX020042.MP4"]
    assert "2 files read as one recording" in words(page)
    button(page, "Make the annotated video").click()
    page.run()
    settle(page)
    rendering = tab(page).analyse.rendering
    assert rendering is not None
    assert rendering.job.error is None
    again = open_page(run=run.analysis_id)
    assert current_video(again).file.path == run.video_path
    assert "GX010042.MP4 and 1 more part" in words(again)


def test_files_that_are_no_recording_are_refused_in_one_sentence(
    page: AppTest, clip: Path, make_video: Callable[..., Path]
) -> None:
    drop_together(page, clip, make_video("garden.mp4", frames=30))
    assert errors(page) == [
        "'clip.mp4' and 'garden.mp4' are not parts of one recording, their names differ in more than a number or a"
        " time; analyse them one by one, or rename them."
    ]
    assert tab(page).video is None


def test_recording_of_which_a_part_is_gone_is_told(page: AppTest, make_video: Callable[..., Path]) -> None:
    drop_together(page, *(make_video(f"GX0{k}0042.MP4", frames=30 + k, fps=30) for k in (1, 2)))
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    next(path for path in run.video_path.parent.iterdir() if path.suffix == ".mp4" and "-" not in path.name).unlink()
    page.run()
    assert not page.exception
    assert "'GX010042.MP4 and 1 more part' is no longer stored here" in words(page)
    assert shows_result(page)


def test_plain_file_leaves_no_choice(page: AppTest, clip: Path) -> None:
    upload_video(page, clip)
    assert not page.number_input
    assert "Which video" not in [one.label for one in page.selectbox]


def test_rate_that_a_file_does_not_state_can_be_given(page: AppTest, tmp_path: Path) -> None:
    raw = tmp_path / "cctv.hevc"
    encoder = ("-c:v", "libx265", "-x265-params", "log-level=error:vui-timing-info=0")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48:r=15:d=2", *encoder, raw)
    upload_video(page, raw)
    assert "25 frames/s assumed, because the file does not say" in words(page)
    before = current_video(page).file
    (rate,) = page.number_input
    assert (rate.label, rate.value) == ("Frames per second", 25)
    rate.set_value(15.0)
    page.run()
    assert "15 frames/s, as you gave it" in words(page)
    (rate,) = page.number_input
    assert rate.value == 15
    assert current_video(page).file.path != before.path
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    assert run.timeline.reading.rate_given_hz == 15
    assert run.timeline.frame_times_s[-1] == pytest.approx(29 / 15)


def test_one_of_several_videos_can_be_chosen(page: AppTest, tmp_path: Path) -> None:
    path = tmp_path / "two.mkv"
    sources = ("-f", "lavfi", "-i", "testsrc=s=64x48:r=30:d=1", "-f", "lavfi", "-i", "testsrc=s=96x64:r=30:d=1")
    ffmpeg(*sources, "-map", "0:v", "-map", "1:v", path)
    upload_video(page, path)
    assert "2 videos in the file: stream 0 is read, not 1 (96 × 64)" in words(page)
    choice = next(one for one in page.selectbox if one.label == "Which video")
    assert choice.options == ["0: 64 × 48", "1: 96 × 64"]
    choice.set_value(1)
    page.run()
    assert current_video(page).info.width == 96
    assert "stream 1 is read, as you chose" in words(page)
    analyse(page)
    run = tab(page).analyse.shown
    assert run is not None
    assert run.timeline.video.width == 96
    choice = next(one for one in page.selectbox if one.label == "Which video")
    choice.set_value(0)
    page.run()
    assert current_video(page).info.width == 64
    assert not page.exception
