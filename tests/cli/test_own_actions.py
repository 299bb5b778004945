"""``--actions``: a user's own names from a set's file, in ``analyze`` and ``compare``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import recognizer.networks.loading
from recognizer.actions.set_file import write_set
from recognizer.cli import batch_command, main
from recognizer.networks import cache
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from tests.support.action_sets import SPACE, action_set
from tests.support.batch import Serial
from tests.support.command_line import only_sentence
from tests.support.fakes import ScriptedDetector, always, numbered_video, person
from tests.support.featured import ActingClassifier
from tests.support.tables import rows_of

WALKS_UNTIL_S = 1.0


def action_at(start_s: float) -> str:
    return "walk" if start_s < WALKS_UNTIL_S else "none"


OPTIONS = ("--sequence-length", "4", "--surroundings", "--min-confidence", "0.3")


class Networks:
    """Stands in for the loading of networks, and records what was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get(self, settings: Settings) -> Models:
        name = settings.video_classifier_model
        self.asked.append(name)
        sha256 = SPACE.weights_sha256 if name == SPACE.classifier else "f" * 64
        provenance = {"detector_sha256": "0" * 64, "classifier": name, "classifier_sha256": sha256}
        return Models(ScriptedDetector(always(person())), ActingClassifier(name, action_at), provenance)


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Networks:
    scripted = Networks()
    monkeypatch.setattr(recognizer.networks.loading, "load_models", lambda settings, _=None: scripted.get(settings))
    monkeypatch.setattr(cache.ModelCache, "get", lambda _, settings, progress=None: scripted.get(settings))
    return scripted


@pytest.fixture
def video(make_video: Callable[..., Path]) -> str:
    return str(numbered_video(make_video, 60))


@pytest.fixture
def taught(tmp_path: Path) -> str:
    path = tmp_path / "gym.actions"
    path.write_bytes(write_set(action_set("walk", "sit", None, videos=3)))
    return str(path)


def test_own_names_take_the_place_of_labels_where_they_hold(
    networks: Networks, video: str, taught: str, tmp_path: Path
) -> None:
    files = [str(tmp_path / name) for name in ("out.csv", "out.json")]
    words = ["analyze", video, "--classifier", "i3d", *OPTIONS, "--actions", taught, "--csv", files[0]]
    assert main([*words, "--json", files[1]]) == 0
    found = rows_of(Path(files[0]).read_text())
    assert [row["action"] for row in found] == ["walk", "waving"]
    assert float(found[0]["end_s"]) == pytest.approx(WALKS_UNTIL_S, abs=0.3)
    provenance = json.loads(Path(files[1]).read_text())["provenance"]
    assert (provenance["own_actions"], provenance["own_actions_mode"]) == ("Everyday", "instead")


def test_own_names_alone_leave_the_rest_unknown(
    networks: Networks, video: str, taught: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["analyze", video, "--classifier", "i3d", *OPTIONS, "--actions", taught, "--csv", "-"]
    assert main([*words, "--actions-mode", "only"]) == 0
    assert [row["action"] for row in rows_of(capsys.readouterr().out)] == ["walk", "unknown"]


def test_own_names_beside_the_networks_are_two_tables(
    networks: Networks, video: str, taught: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["analyze", video, "--classifier", "i3d", *OPTIONS, "--actions", taught]
    assert main([*words, "--actions-mode", "beside"]) == 0
    own, of_network = capsys.readouterr().out.split("'numbered.mkv', the network's labels: ")
    assert "walk" in own
    assert "unknown" in own
    assert "walk" not in of_network
    assert "waving" in of_network


def test_a_set_of_another_network_is_refused_before_anything_is_loaded(
    networks: Networks, video: str, taught: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", video, "--classifier", "s3d", "--actions", taught]) == 2
    assert only_sentence(capsys) == "error: 'Everyday' was taught with i3d, and this analysis uses s3d; choose i3d.\n"
    assert networks.asked == []
    assert main(["compare", video, "--classifiers", "s3d,mc3_18", "--actions", taught]) == 2
    assert "was taught with i3d, and this analysis uses s3d and mc3_18; choose i3d." in only_sentence(capsys)
    assert networks.asked == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--no-surroundings",), "was taught with Surroundings on, and this analysis has them off"),
        (("--no-keep-features",), "--no-keep-features keeps none; leave that option out."),
    ],
)
def test_settings_that_the_set_cannot_be_used_with_are_named(
    words: tuple[str, ...],
    said: str,
    networks: Networks,
    video: str,
    taught: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["analyze", video, "--classifier", "i3d", *OPTIONS, *words, "--actions", taught, "--quiet"]) == 2
    assert said in only_sentence(capsys)


def test_a_file_that_is_no_set_gets_a_sentence(
    networks: Networks, video: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("walk, sit")
    assert main(["analyze", video, "--actions", str(tmp_path / "notes.txt")]) == 2
    assert "'notes.txt'" in only_sentence(capsys)
    assert main(["analyze", video, "--actions", str(tmp_path / "none.actions")]) == 2
    assert "cannot be read (no such file or directory); give --actions a file that exists." in only_sentence(capsys)
    assert networks.asked == []


def test_a_set_that_teaches_nothing_yet_is_named(
    networks: Networks, video: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.actions"
    path.write_bytes(write_set(action_set("walk")))
    assert main(["analyze", video, "--classifier", "i3d", *OPTIONS, "--actions", str(path), "--quiet"]) == 2
    assert "'Everyday' teaches nothing yet; mark moments of two actions" in only_sentence(capsys)


def test_a_comparison_names_what_fits_and_says_what_keeps_its_labels(
    networks: Networks, video: str, taught: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", video, "--classifiers", "i3d,mc3_18", *OPTIONS, "--actions", taught, "--csv", "-", "--quiet"]
    assert main(words) == 0
    captured = capsys.readouterr()
    found = rows_of(captured.out)
    assert [row["action"] for row in found if row["classifier"] == "i3d"] == ["walk", "waving"]
    assert [row["action"] for row in found if row["classifier"] == "mc3_18"] == ["waving"]
    assert captured.err.startswith("error: mc3_18 keeps its labels: 'Everyday' was taught with i3d")


def test_a_comparison_gives_own_names_lanes_of_their_own(
    networks: Networks, video: str, taught: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", video, "--classifiers", "i3d:4,i3d:5", *OPTIONS[2:], "--actions", taught, "--csv", "-"]
    assert main([*words, "--actions-mode", "beside", "--quiet"]) == 0
    found = rows_of(capsys.readouterr().out)
    assert list(dict.fromkeys(row["classifier"] for row in found)) == [
        "i3d, 4 samples", "Everyday (i3d, 4 samples)", "i3d, 5 samples", "Everyday (i3d, 5 samples)",
    ]  # fmt: skip
    own = [row["action"] for row in found if row["classifier"].startswith("Everyday (i3d, 4")]
    assert own == ["walk", "unknown"]


def test_a_batch_has_own_names_in_its_files_and_analyzes_nothing_for_them(
    networks: Networks, video: str, taught: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Serial] = []

    def executor(*_: object) -> Serial:
        used.append(Serial(networks))
        return used[-1]

    monkeypatch.setattr(batch_command, "LocalExecutor", executor)
    monkeypatch.setenv("RECOGNIZER_DECODER", "inline")
    out = tmp_path / "out"
    words = ["batch", video, "--out", str(out), "--classifier", "i3d", *OPTIONS, "--quiet"]
    assert main(words) == 0
    assert main([*words, "--actions", taught]) == 0
    assert len(used) == 1, "the second command had nothing to analyze"
    (table,) = (out / "exports" / "csv").iterdir()
    assert main([*["analyze", video], *words[4:], "--actions", taught, "--csv", str(tmp_path / "one.csv")]) == 0
    assert table.read_bytes() == (tmp_path / "one.csv").read_bytes()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--classifier", "r3d_18"], "was taught with i3d, and this analysis uses r3d_18"),
        (["--no-keep-features"], "--no-keep-features keeps none"),
        (["--export", "docx"], "'x.docx' names no format"),
    ],
)
def test_a_batch_says_before_it_begins_what_does_not_fit(
    more: list[str], sentence: str, taught: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["batch", "clip.mp4", "--out", str(out), "--actions", taught, *more]) == 2
    assert sentence in only_sentence(capsys)
    assert not out.exists()
