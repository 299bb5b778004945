"""Choosing a video on the page "Analyse a video"."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from recognizer import weights
from recognizer.errors import WeightsError
from tests.support.pages import (
    analyse,
    button,
    current_video,
    has_button,
    open_page,
    settle,
    tab,
    upload_video,
    uploader,
    words,
)


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
        assert len(page.error) == 1
        told = page.error[0].value.replace("\\", "")
        assert name in told
        assert told.endswith(".")
        assert "\n" not in told
        assert tab(page).analyse.shown is run
        assert current_video(page).file.name == "clip.mp4"
        assert "Timeline" in [one.value for one in page.subheader]
    upload_video(page, clip, "good again.mp4")
    assert not page.error
    assert "good again.mp4" in words(page)


def test_name_with_html_is_shown_letter_by_letter(page: AppTest, clip: Path) -> None:
    name = "<img src=x onerror=alert(1)>**b** [l](http://example.com).mp4"
    upload_video(page, clip, name)
    analyse(page)
    shown = [one for kind in (page.markdown, page.caption) for one in kind if "onerror" in one.value]
    assert len(shown) >= 2
    for one in shown:
        assert "\\<img" in one.value
        assert not one.allow_html
    assert name in words(page)


def test_sample_that_cannot_be_had_is_told_and_one_that_can_is_shown_with_its_source(
    page: AppTest, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(progress: Any = None) -> Any:
        raise WeightsError("no sample video can be had; drop in a video of your own.")

    monkeypatch.setattr(weights, "sample_video", none)
    button(page, "Try a sample").click()
    page.run()
    assert [one.value.replace("\\", "") for one in page.error] == [
        "No sample video can be had; drop in a video of your own."
    ]
    sample = weights.SampleVideo(clip, "Somebody", "CC-BY-4.0", "An archive")
    monkeypatch.setattr(weights, "sample_video", lambda progress=None: sample)
    button(page, "Try a sample").click()
    page.run()
    assert not page.error
    assert "Somebody. An archive, CC-BY-4.0." in words(page)
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
    assert "Timeline" in [one.value for one in page.subheader]
    assert not has_button(page, "Analyse")
    fresh = open_page(run=run.analysis_id)
    assert "no longer stored here" in words(fresh)
    assert "Timeline" in [one.value for one in fresh.subheader]
