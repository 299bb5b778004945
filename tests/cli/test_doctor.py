"""``python -m recognizer doctor``: the machine, and how each network runs on it."""

from __future__ import annotations

from typing import Any

import pytest

from recognizer.cli import main
from recognizer.networks import loading
from recognizer.networks.backends import openvino
from recognizer.networks.backends.choice_store import Choice, Measured
from recognizer.networks.backends.ways import Way
from recognizer.networks.bounds import CLASSIFIER_BOUND, DETECTOR_BOUND_PX

CHOSEN = Choice(
    Way("openvino", "float32"),
    (
        Measured("pytorch-float32", 300.0, 0.0),
        Measured("openvino-float32", 110.0, 1.4e-6),
        Measured("openvino-bfloat16", 60.0, 0.2, "differs from pytorch-float32 by more than 0.05"),
        Measured("pytorch-bfloat16", None, None, "it does not run"),
    ),
)


def shown(out: str, network: str = "i3d") -> dict[str, list[str]]:
    """The rows of a network by the name of the way: words after the network's name."""
    rows = [line.split()[1:] for line in out.splitlines() if line.startswith(f" {network}")]
    return {row[2]: row for row in rows}


def test_every_way_is_shown_with_its_time_its_difference_and_why_it_is_not_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "classifier_choice", lambda settings, progress: CHOSEN)
    assert main(["doctor", "i3d", "--quiet"]) == 0
    rows = shown(capsys.readouterr().out)
    assert rows["openvino-float32"][3:] == ["110.0", "1.4e-06", "chosen"]
    assert rows["pytorch-float32"][3:] == ["300.0", "0"]
    assert " ".join(rows["openvino-bfloat16"][5:]) == "differs from pytorch-float32 by more than 0.05"
    assert rows["pytorch-bfloat16"][3:] == ["it", "does", "not", "run"]
    assert rows["pytorch-float32"][0] == "8"


def test_networks_with_int8_are_measured_on_clips_of_the_recommended_length(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    formats = Measured("openvino-mixed", 60.0, 0.02), Measured("openvino-int8", 40.0, 0.09)
    int8 = Choice(Way("openvino", "int8"), (*CHOSEN.measured, *formats))
    monkeypatch.setattr(loading, "classifier_choice", lambda settings, progress: int8)
    assert main(["doctor", "i3d", "--quiet"]) == 0
    rows = shown(capsys.readouterr().out)
    assert rows["openvino-int8"] == ["38", "samples", "openvino-int8", "40.0", "0.09", "chosen"]
    assert rows["openvino-mixed"][3:] == ["60.0", "0.02", "for", "short", "clips"]


def test_transformers_with_int8_are_measured_on_short_clips(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Regression: every network with int8 was said to be measured on clips of the recommended length."""
    int8 = Choice(Way("openvino", "int8"), (*CHOSEN.measured, Measured("openvino-int8", 40.0, 0.03)))
    monkeypatch.setattr(loading, "classifier_choice", lambda settings, progress: int8)
    assert main(["doctor", "swin3d_t", "--quiet"]) == 0
    rows = shown(capsys.readouterr().out, "swin3d_t")
    assert rows["openvino-int8"] == ["8", "samples", "openvino-int8", "40.0", "0.03", "chosen"]


def test_where_there_is_one_way_only_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "detector_choice", lambda settings, progress: Choice(Way("pytorch", "float16")))
    assert main(["doctor", "yolo26n.pt", "--quiet"]) == 0
    assert "pytorch-float16" in capsys.readouterr().out


def test_without_openvino_a_note_says_that_pytorch_runs_and_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loading, "classifier_choice", lambda settings, progress: CHOSEN)
    monkeypatch.setattr(openvino, "problem", lambda: "it does not load here: no wheel")
    assert main(["doctor", "i3d", "--quiet"]) == 0
    assert "PyTorch runs every network: it does not load here: no wheel" in capsys.readouterr().err


def test_an_unknown_network_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[Any]) -> None:
    assert main(["doctor", "x3d"]) == 2
    assert "there is no network 'x3d'; choose from yolo26n.pt" in capsys.readouterr().err


def test_help_shows_the_bounds_in_use(capsys: pytest.CaptureFixture[Any]) -> None:
    assert main(["doctor", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"at most {CLASSIFIER_BOUND}." in text
    assert f"at most {DETECTOR_BOUND_PX}." in text
