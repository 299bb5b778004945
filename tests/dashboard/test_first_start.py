"""The first visit: networks are fetched, or an error says why they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from recognizer.dashboard import server
from tests.support.networks import Networks
from tests.support.pages import (
    button,
    errors,
    open_page,
    uploader,
    widget,
    words,
)


def test_what_is_loaded_at_the_first_visit_is_exempt_from_garbage_collection(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    exempted: list[bool] = []
    monkeypatch.setattr(server, "exempt_from_collection", lambda: exempted.append(True))
    open_page()
    open_page()
    assert exempted == [True]


def test_first_start_that_fails_says_why_and_tries_again(networks: Networks) -> None:
    networks.missing |= {"yolo26n.pt"}
    at = open_page()
    assert errors(at) == ["The weights of yolo26n.pt cannot be had; put yolo26n.pt.bin into the folder."]
    assert not at.file_uploader
    networks.missing.clear()
    button(at, "Try again").click()
    at.run()
    assert not at.exception
    assert not at.error
    assert uploader(at, "Drop in a video")


def test_i3d_stands_in_where_s3d_cannot_be_had_and_the_page_says_so(networks: Networks) -> None:
    networks.missing |= {"s3d"}
    at = open_page()
    assert widget(at, "Classifier").value == "i3d"
    assert "weights of s3d are not available, so i3d is used" in words(at)
    assert not at.error
    widget(at, "Classifier").set_value("s3d")
    at.run()
    assert "not available" not in words(at)


def test_folder_of_results_that_cannot_be_used_is_told_in_one_sentence(
    networks: Networks, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RECOGNIZER_DATA", str(tmp_path / "file" / "data"))
    at = open_page()
    (told,) = errors(at)
    assert "RECOGNIZER_DATA" in told
