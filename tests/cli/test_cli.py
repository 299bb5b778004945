"""The command line with scripted networks: exit codes, one-sentence errors, complete files, clean standard output."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import recognizer.drawing.video
import recognizer.networks.loading
from recognizer import __version__
from recognizer.cli import main
from recognizer.cli.outputs import plan_outputs
from recognizer.cli.signals import Interrupts
from recognizer.drawing.overlay import draw_overlay
from recognizer.errors import SettingsError, WeightsError
from recognizer.export import ALL_FORMATS, FORMATS
from recognizer.networks.fallback import usable_classifier
from recognizer.networks.loading import Models
from recognizer.settings import SETTING_SPECS, Range, Scope, Settings, SettingSpec
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.corrections_file import corrections_json
from recognizer.timeline.edits import Name, Relabel
from recognizer.timeline.groups import LabelGroups, groups_json
from recognizer.types import Clip, Detection, Prediction
from recognizer.video import probe
from tests.support.command_line import only_sentence
from tests.support.environment import ROOT
from tests.support.tables import rows_of
from tests.support.waiting import WORK_S

MakeVideo = Callable[..., Path]


class OnePerson:
    """Finds the same person in every frame."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before

    def detect(self, frames_rgb: Sequence[np.ndarray]) -> list[list[Detection]]:
        self._before()
        return [[Detection((8.0, 8.0, 40.0, 44.0), 0.9)] for _ in frames_rgb]


class OneAction:
    """Gives every clip the same label."""

    labels: tuple[str, ...] = ("[bold]tai chi", "archery")

    def __init__(self, name: str = "i3d", labels: tuple[str, ...] = labels) -> None:
        self.name = name
        self.labels = labels

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        top = ((self.labels[0], 0.75), (self.labels[1], 0.25))
        return [Prediction(clip.person_id, clip.start_s, clip.end_s, top, self.name) for clip in clips]

    def warm_up(self, samples: int) -> None:
        """Needs no set-up."""


class Loader:
    """Replaces ``load_models`` and records its arguments."""

    def __init__(self) -> None:
        self.asked: list[Settings] = []
        self.detector = OnePerson()
        self.labels = OneAction.labels

    def __call__(self, settings: Settings, progress: object = None) -> Models:
        self.asked.append(settings)
        return Models(self.detector, OneAction(settings.video_classifier_model, self.labels), {"torch": "0"})


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch) -> Loader:
    scripted = Loader()
    monkeypatch.setattr(recognizer.networks.loading, "load_models", scripted)
    return scripted


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``without("s3d")`` makes the weights of these networks unavailable."""

    def make(*names: str) -> None:
        def resolve(name: str, *, progress: object = None) -> Path:
            if name in names:
                raise WeightsError(f"{name} cannot be had; put it into a folder.")
            return Path("/somewhere") / name

        monkeypatch.setattr("recognizer.weights.resolve", resolve)

    return make


@pytest.fixture
def i3d(loader: Loader) -> tuple[str, ...]:
    """Options that name a classifier, so that none is searched for."""
    return ("analyze", "--classifier", "i3d", "--sequence-length", "4")


# --- results ---


def test_table_is_printed_when_no_output_is_named(
    make_video: MakeVideo, i3d: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*i3d, str(make_video("a.mp4"))]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "'a.mp4': 1 person, 1 segment." in out
    # a label is text, not markup
    assert "[bold]tai chi" in out
    assert "0.75" in out
    assert "\x1b" not in out


def test_results_are_written_and_reported(
    make_video: MakeVideo, i3d: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = make_video("a.mp4")
    csv_path, json_path, mp4_path = (tmp_path / name for name in ("r.csv", "r.json", "r.mp4"))
    options = ("--csv", str(csv_path), "--json", str(json_path), "--video", str(mp4_path))
    assert main([*i3d, str(video), *options]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert str(csv_path) in err
    assert [row["action"] for row in rows_of(csv_path.read_text(encoding="utf-8"))] == ["[bold]tai chi"]
    document = json.loads(json_path.read_text(encoding="utf-8"))
    assert document["settings"]["num_video_sequence_samples"] == 4
    assert document["predictions"]
    info = probe(mp4_path)
    assert (info.codec, info.width, info.height, info.frame_count) == ("h264", 64, 48, 30)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "r.csv", "r.json", "r.mp4"]


@pytest.mark.parametrize("option", ["--csv", "--json"])
def test_dash_puts_the_result_and_nothing_else_on_standard_output(
    option: str, make_video: MakeVideo, i3d: tuple[str, ...], loader: Loader, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    loader.detector = OnePerson(before=lambda: print("a library that prints"))  # noqa: T201
    assert main([*i3d, str(make_video("a.mp4")), option, "-"]) == 0
    out, err = capfdbinary.readouterr()
    assert b"a library that prints" in err
    if option == "--csv":
        lines = out.split(b"\r\n")
        assert lines[0].startswith(b"person_id,action,")
        assert lines[1].startswith(b"1,[bold]tai chi,0.000,")
        assert lines[2:] == [b""]
    else:
        assert json.loads(out)["segments"][0]["action"] == "[bold]tai chi"


def test_thresholds_apply_to_the_results(
    make_video: MakeVideo, i3d: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*i3d, str(make_video("a.mp4")), "--csv", "-", "--min-confidence", "0.8", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert [row["action"] for row in rows_of(out)] == ["unknown"]


def test_label_cannot_steer_the_terminal(
    make_video: MakeVideo, i3d: tuple[str, ...], loader: Loader, capsys: pytest.CaptureFixture[str]
) -> None:
    loader.labels = ("\x1b[2Jgone", "b")
    assert main([*i3d, str(make_video("a.mp4"))]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_video_too_short_for_one_clip_is_no_error(
    make_video: MakeVideo, loader: Loader, capsys: pytest.CaptureFixture[str]
) -> None:
    video = make_video("a.mp4", frames=6)
    assert main(["analyze", "--classifier", "i3d", "--sequence-length", "32", str(video)]) == 0
    assert "there for less than 1.1 s" in capsys.readouterr().out


# --- settings ---


def analysed(video: Path, *words: str) -> dict[str, object]:
    """Return the settings and the minimum confidence of an analysis."""
    target = video.with_suffix(".json")
    assert main(["analyze", "--classifier", "i3d", str(video), "--json", str(target), "--quiet", *words]) == 0
    document = json.loads(target.read_text(encoding="utf-8"))
    return {**document["settings"], "min_confidence": document["thresholds"]["min_confidence"]}


def test_the_recommended_preset_follows_each_videos_frame_rate_and_yields_to_options(
    make_video: MakeVideo, loader: Loader
) -> None:
    fast, slow = make_video("fast.mp4", fps=60), make_video("slow.mp4", fps=10)
    usual = analysed(fast, "--preset", "recommended")
    assert (usual["skip_frame"], usual["num_video_sequence_samples"], usual["min_confidence"]) == (4, 38, 0.3)
    assert (usual["steady_crop"], usual["surroundings"], usual["calibrated"]) == (True, True, True)
    assert loader.asked[-1].calibrated, "the networks are loaded with it"
    assert analysed(slow, "--preset", "recommended")["num_video_sequence_samples"] == 25
    own = analysed(
        fast, "--preset", "recommended", "--skip", "2", "--no-surroundings", "--smoothing", "0", "--min-confidence", "0"
    )
    assert (own["skip_frame"], own["surroundings"], own["smoothing_s"], own["min_confidence"]) == (2, False, 0.0, 0.0)


def test_without_a_preset_the_documented_defaults_hold(make_video: MakeVideo, loader: Loader) -> None:
    expected = {**Settings(video_classifier_model="i3d").as_dict(), "min_confidence": 0.0}
    assert analysed(make_video("a.mp4")) == expected


def test_settings_come_from_the_options(make_video: MakeVideo, loader: Loader) -> None:
    words = (
        "--detector yolo26s.pt --classifier mvit_v2_s --sequence-length 5 --skip 3 --crop-margin 20 "
        "--min-person-confidence 0.5 --tracker botsort --overlap 0.5 --device cpu --precision float32 "
        "--checkpoint w.pth --labels l.txt"
    )
    assert main(["analyze", str(make_video("a.mp4")), *words.split(), "--quiet"]) == 0
    assert loader.asked == [
        Settings(
            "yolo26s.pt", "mvit_v2_s", 20, 5, 3, 0.5, "botsort", 0.5, "cpu", "float32", "w.pth", "l.txt"
        )
    ]  # fmt: skip


def test_settings_are_the_documented_defaults_without_options(
    make_video: MakeVideo, loader: Loader, without: Callable[..., None]
) -> None:
    without()
    assert main(["analyze", str(make_video("a.mp4"))]) == 0
    assert loader.asked == [Settings()]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--skip 99", "--skip is 99; give a value from 1 to 30."),
        ("--classifier x3d", "--classifier is 'x3d'; choose one of s3d, "),
        ("--tracker sort", "--tracker is 'sort'; choose one of "),
        ("--checkpoint w.pth", "--labels is missing; a checkpoint and its label file go together."),
        ("--min-confidence 1.5", "--min-confidence is 1.5; give a number from 0 to 1."),
        ("--min-confidence nan", "--min-confidence is nan; give a number from 0 to 1."),
        ("--min-duration -1", "--min-duration is -1; give a number from 0 up."),
        ("--max-file-mb 0", "--max-file-mb is 0; give a number of megabytes above 0."),
        ("--skip two", "argument --skip: invalid int value: 'two'"),
        ("--frobnicate", "unrecognized arguments: --frobnicate"),
    ],
)
def test_bad_option_gets_one_sentence_and_exit_code_2(
    words: str, said: str, loader: Loader, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", "a.mp4", *words.split()]) == 2
    assert said in only_sentence(capsys)
    assert loader.asked == []


@pytest.mark.parametrize("words", [[], ["analyze"], ["paint"]])
def test_incomplete_command_points_to_the_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "--help" in only_sentence(capsys)


# --- bad input ---


def test_bad_video_is_reported_before_networks_are_loaded(
    tmp_path: Path, i3d: tuple[str, ...], loader: Loader, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "<b>notes.mp4").write_text("no video")
    target = tmp_path / "out.csv"
    assert main([*i3d, str(tmp_path / "<b>notes.mp4"), "--csv", str(target)]) == 2
    assert "'<b>notes.mp4' is a text file" in only_sentence(capsys)
    assert loader.asked == []
    assert not target.exists()


def test_file_over_the_limit_is_refused(
    make_video: MakeVideo, i3d: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*i3d, str(make_video("a.mp4")), "--max-file-mb", "0.0001"]) == 2
    assert "the limit is 100 bytes" in only_sentence(capsys)


def test_one_bad_video_does_not_stop_the_others_and_networks_load_once(
    make_video: MakeVideo, i3d: tuple[str, ...], loader: Loader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, last = make_video("first.mp4"), make_video("last.mp4")
    bad = tmp_path / "bad.mp4"
    bad.touch()
    assert main([*i3d, str(first), str(bad), str(last), "--csv", str(tmp_path / "{name}.csv"), "--quiet"]) == 2
    assert "'bad.mp4' is empty" in only_sentence(capsys)
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["first.csv", "last.csv"]
    assert len(loader.asked) == 1


def test_bug_is_not_hidden_behind_a_sentence(make_video: MakeVideo, i3d: tuple[str, ...], loader: Loader) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    loader.detector = OnePerson(before=fail)
    with pytest.raises(ZeroDivisionError):
        main([*i3d, str(make_video("a.mp4"))])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_full_disk_gets_one_sentence(
    make_video: MakeVideo, i3d: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*i3d, str(make_video("a.mp4")), "--csv", "/dev/full"]) == 2
    assert "'full' cannot be written (no space left on device)" in only_sentence(capsys)


# --- where results go ---


def test_result_in_a_folder_gets_the_name_of_its_video(tmp_path: Path) -> None:
    plans = plan_outputs(["a/x.mp4", "y.tar.mov"], csv=str(tmp_path), json=str(tmp_path / "{name}-n.json"), video=None)
    assert [plan.csv for plan in plans] == [str(tmp_path / "x.csv"), str(tmp_path / "y.tar.csv")]
    assert [plan.json for plan in plans] == [str(tmp_path / "x-n.json"), str(tmp_path / "y.tar-n.json")]
    assert [plan.video for plan in plans] == [None, None]


def test_exports_are_in_the_formats_of_their_endings(
    make_video: MakeVideo, i3d: tuple[str, ...], tmp_path: Path
) -> None:
    paths = [str(tmp_path / name) for name in ("{name}.eaf", "{name}.people.csv", "all.zip")]
    exports = (option for path in paths for option in ("--export", path))
    assert main([*i3d, str(make_video("a.mp4")), *exports]) == 0
    assert (
        (tmp_path / "a.eaf").read_bytes().startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<ANNOTATION_DOCUMENT ')
    )
    assert (tmp_path / "a.people.csv").read_text().startswith("person_id,person_name,first_seen_s,")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert {f"a{one.ending}" for one in FORMATS} | {"README.txt"} == set(archive.namelist())


def test_corrections_and_groups_change_every_result(
    make_video: MakeVideo, i3d: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edits = (Name(1, "Anna"), Relabel(1, 0.0, 0.2, "archery"), Name(9, "nobody"))
    (tmp_path / "c.json").write_text(corrections_json(Corrections(edits), None))
    (tmp_path / "g.json").write_text(groups_json(LabelGroups({"martial arts": ("[bold]tai chi",)})))
    files = {option: str(tmp_path / f"r.{option}") for option in ("csv", "json")}
    options = ("--csv", files["csv"], "--json", files["json"], "--export", str(tmp_path / "r.vtt"))
    changes = ("--corrections", str(tmp_path / "{name}.json"), "--groups", str(tmp_path / "g.json"))
    assert main([*i3d, str(make_video("c.mp4")), *options, *changes]) == 0
    table = rows_of(Path(files["csv"]).read_text(encoding="utf-8"))
    assert [(row["action"], row["source"], row["person_name"]) for row in table] == [
        ("archery", "human", "Anna"),
        ("martial arts", "machine", "Anna"),
    ]
    document = json.loads(Path(files["json"]).read_text(encoding="utf-8"))
    assert [one.get("source") for one in document["segments"]] == ["human", None]
    assert document["people"][0]["name"] == "Anna"
    assert "Anna: martial arts" in (tmp_path / "r.vtt").read_text()
    err = capsys.readouterr().err
    assert "1 correction is about people or moments that are not in this timeline, and left out." in err


def test_corrections_of_another_video_are_refused_before_networks_are_loaded(
    make_video: MakeVideo, i3d: tuple[str, ...], loader: Loader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.json").write_text(corrections_json(Corrections(), "ab" * 32))
    assert main([*i3d, str(make_video("a.mp4")), "--corrections", str(tmp_path / "c.json")]) == 2
    assert "corrects another video" in only_sentence(capsys)
    assert main([*i3d, str(make_video("a.mp4")), "--corrections", str(tmp_path / "missing.json")]) == 2
    assert "cannot be read (no such file or directory)" in only_sentence(capsys)
    assert main([*i3d, "a.mp4", "b.mp4", "--corrections", "c.json"]) == 2
    assert "put {name} into the name" in only_sentence(capsys)
    assert loader.asked == []


def test_help_names_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", "--help"]) == 0
    text = capsys.readouterr().out
    named = set(re.findall(r"(\.[A-Za-z.]+)\b", text.partition("formats of --export")[2].partition("how long")[0]))
    parquets = {
        ending.replace(".csv", ".parquet") for ending in (".csv", ".people.csv", ".predictions.csv", ".movement.csv")
    }
    assert {one.ending for one in ALL_FORMATS} - parquets <= named


@pytest.mark.parametrize(
    ("videos", "wanted", "said"),
    [
        (["x.mp4", "y.mp4"], {"csv": "out.csv"}, "would overwrite each other"),
        (["x.mp4", "y.mp4"], {"csv": "-"}, "takes one video, and 2 are given"),
        (["a/x.mp4", "b/x.mp4"], {"csv": "{name}.csv"}, "would both be written to 'x.csv'"),
        (["x.mp4", "x.mp4"], {"csv": "{name}.csv"}, "named twice"),
        (["x.mp4"], {"csv": "o.txt", "json": "./o.txt"}, "would both be written"),
        (["x.mp4"], {"csv": "-", "json": "-"}, "both go to standard output"),
        (["x.mp4"], {"video": "-"}, "cannot go to standard output"),
        (["x.mp4"], {"video": "x.avi"}, "ends in .mp4"),
        (["x.mp4"], {"video": "./x.mp4"}, "would overwrite the video"),
        (["x.mp4"], {"video": "./"}, "would overwrite the video"),
        (["x.mp4", "y.mp4"], {"csv": "y.mp4/../{name}.mp4"}, "would overwrite the video"),
        (["x.mp4"], {"csv": "nowhere/x.csv"}, "there is no folder 'nowhere'"),
        (["x.mp4"], {"csv": "nowhere/"}, "there is no folder 'nowhere'"),
        (["x.mp4"], {"json": ""}, "--json is empty"),
        (["x.mp4", "y.mp4"], {"exports": ["out.eaf"]}, r"overwrite each other; give \{name\} in the name, such as "),
        (["x.mp4"], {"exports": ["./"]}, "'./', which names no format; give a name with its ending"),
        (["x.mp4"], {"exports": ["x.doc"]}, "'x.doc' names no format; give a name that ends in one of .csv"),
        (["x.mp4"], {"csv": "x.csv", "exports": ["x.csv"]}, "would both be written to 'x.csv'"),
        (["x.mp4"], {"exports": ["nowhere/x.eaf"]}, "there is no folder 'nowhere' for --export"),
    ],
)
def test_impossible_output_is_refused(
    videos: list[str], wanted: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    places: dict[str, Any] = {"csv": None, "json": None, "video": None} | wanted
    with pytest.raises(SettingsError, match=said):
        plan_outputs(videos, **places)


def test_several_videos_without_outputs_print_a_table_each(
    make_video: MakeVideo, i3d: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*i3d, str(make_video("a.mp4")), str(make_video("b.mp4"))]) == 0
    out = capsys.readouterr().out
    assert "'a.mp4': 1 person" in out
    assert "'b.mp4': 1 person" in out


# --- Ctrl-C ---


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_analysis_writes_nothing(
    number: signal.Signals, code: int, make_video: MakeVideo, i3d: tuple[str, ...], loader: Loader, tmp_path: Path
) -> None:
    video = make_video("a.mp4")
    calls = iter(range(100))

    def interrupt() -> None:
        if next(calls) == 1:
            os.kill(os.getpid(), number)

    loader.detector = OnePerson(before=interrupt)
    options = ("--csv", str(tmp_path / "r.csv"), "--video", str(tmp_path / "r.mp4"))
    before = signal.getsignal(number)
    assert main([*i3d, str(video), *options]) == code
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert signal.getsignal(number) is before


def test_interrupted_drawing_leaves_no_half_video(
    make_video: MakeVideo, i3d: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = make_video("a.mp4")
    (tmp_path / "r.mp4").write_bytes(b"the old one")
    calls = iter(range(100))

    def interrupt(*given: Any) -> NDArray[np.uint8]:
        if next(calls) == 10:
            os.kill(os.getpid(), signal.SIGINT)
        return draw_overlay(*given)

    monkeypatch.setattr(recognizer.drawing.video, "draw_overlay", interrupt)
    options = ("--csv", str(tmp_path / "r.csv"), "--video", str(tmp_path / "r.mp4"))
    assert main([*i3d, str(video), *options]) == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "r.csv", "r.mp4"]
    assert (tmp_path / "r.mp4").read_bytes() == b"the old one"
    assert len(rows_of((tmp_path / "r.csv").read_text(encoding="utf-8"))) == 1


def test_impatient_second_signal_does_not_disturb_the_way_out() -> None:
    tidied = False
    with Interrupts() as interrupts:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)
            tidied = True
    assert tidied
    assert interrupts.exit_code == 130


def test_interrupt_that_a_library_turned_into_an_error_is_an_interrupt(
    make_video: MakeVideo, i3d: tuple[str, ...], loader: Loader
) -> None:
    def interrupt() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("initialization failed") from None

    loader.detector = OnePerson(before=interrupt)
    assert main([*i3d, str(make_video("a.mp4"))]) == 130


def test_interrupt_that_a_library_swallows_ends_the_analysis_at_the_next_frames(
    make_video: MakeVideo, i3d: tuple[str, ...], loader: Loader, tmp_path: Path
) -> None:
    """Regression: the analysis ran to its end and wrote its results, as if nobody had pressed Ctrl-C."""
    detections = 0

    def interrupt() -> None:
        nonlocal detections
        detections += 1
        if detections == 1:
            with contextlib.suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)

    loader.detector = OnePerson(before=interrupt)
    assert main([*i3d, str(make_video("a.mp4", frames=300)), "--csv", str(tmp_path / "r.csv")]) == 130
    assert detections < 100
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


_SIGNAL_WITHIN_C = """
import ctypes, signal, sys
from recognizer.cli.signals import Interrupts

run_from_c = ctypes.pythonapi.PyRun_String
run_from_c.restype, run_from_c.argtypes = ctypes.py_object, [ctypes.c_char_p, ctypes.c_int, *2 * [ctypes.py_object]]
FILE_INPUT, code = 257, b"import signal; signal.raise_signal(signal.SIGTERM)"
with Interrupts() as interrupts:
    try:
        run_from_c(code, FILE_INPUT, {}, {})
    except KeyboardInterrupt:
        pass
sys.exit(interrupts.exit_code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM between processes")
def test_sigterm_within_code_that_c_runs_is_not_reported_as_ctrl_c(tmp_path: Path) -> None:
    """Regression: Python, started with -m, ended itself by SIGINT, whatever the exit code."""
    (tmp_path / "command.py").write_text(_SIGNAL_WITHIN_C, encoding="utf-8")
    path = os.pathsep.join((str(ROOT), str(tmp_path)))
    ended = subprocess.run(
        [sys.executable, "-m", "command"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (143, "")


# --- the default classifier cannot be had ---


def test_i3d_is_used_and_reported_where_s3d_is_unavailable(
    make_video: MakeVideo, loader: Loader, without: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    without("s3d")
    assert main(["analyze", str(make_video("a.mp4")), "--sequence-length", "4", "--csv", "-", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert [settings.video_classifier_model for settings in loader.asked] == ["i3d"]
    assert err.count("\n") == 1
    assert "s3d are not available, so i3d is used" in err
    assert rows_of(out)[0]["classifier"] == "i3d"


def test_named_classifier_is_never_replaced(
    make_video: MakeVideo,
    without: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    without("s3d")
    monkeypatch.setattr(recognizer.networks.loading, "load_detector", lambda *_: (OnePerson(), {}))
    assert main(["analyze", str(make_video("a.mp4")), "--classifier", "s3d"]) == 2
    assert "s3d cannot be had" in only_sentence(capsys)


def test_nothing_is_replaced_where_neither_is_available(without: Callable[..., None]) -> None:
    without("s3d", "i3d")
    with pytest.raises(WeightsError, match="i3d cannot be had"):
        usable_classifier()


def test_wanted_classifier_is_used_where_it_is_available(without: Callable[..., None]) -> None:
    without("i3d")
    assert usable_classifier() == usable_classifier("s3d")
    assert (usable_classifier().name, usable_classifier().note) == ("s3d", None)
    with pytest.raises(WeightsError):
        usable_classifier("i3d")


# --- weights ---


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECOGNIZER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("RECOGNIZER_WEIGHTS", raising=False)
    return tmp_path / "cache" / "weights"


def test_weights_lists_every_network(no_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "AGPL-3.0" in lines["yolo26x.pt"]
    assert "118.7" in lines["yolo26x.pt"]
    for part in ("no", "33.5", "68.4 %", "8.3 M", "18.0", "BSD-3-Clause"):
        assert part in lines["s3d"]
    assert "Apache-2.0" in lines["i3d"]
    assert "mAP50-95 on COCO val2017" in lines["Detectors"]
    assert "top-1 on Kinetics-400" in lines["Classifiers"]


def test_weights_list_keeps_names_whole_in_a_narrow_terminal(no_weights: Path) -> None:
    from recognizer.cli.terminal import print_table, table

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    listed = table({"Name": False, "MB": True, "Licence": False})
    listed.add_row("swin3d_b", "381.8", "BSD-3-Clause (torchvision)")
    out = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "34")
        patch.setenv("LINES", "40")
        patch.setenv("TERM", "unknown")  # no colours
        print_table("Classifiers", listed, out)
    assert "swin3d_b" in out.getvalue()
    assert "381.8" in out.getvalue()
    assert max(map(len, out.getvalue().splitlines())) <= 34


def test_weights_as_json(no_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "--json"]) == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert len(listed) == 15
    assert listed["i3d"]["kind"] == "classifier"
    assert listed["i3d"]["parameters"] == 12_689_984
    assert listed["yolo26n.pt"]["size_bytes"] == 5_544_453
    assert not any(row["here"] for row in listed.values())


def test_weights_fetches_by_name_and_prints_the_path(
    without: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    without("s3d")
    assert main(["weights", "i3d", "s3d", "yolo26n.pt"]) == 2
    out, err = capsys.readouterr()
    assert out.splitlines() == [str(Path("/somewhere/i3d")), str(Path("/somewhere/yolo26n.pt"))]
    assert err == "error: s3d cannot be had; put it into a folder.\n"


def test_weights_of_an_unknown_name(no_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "yolo99"]) == 2
    assert "'yolo99'" in only_sentence(capsys)


def test_weights_ready_names_what_is_used(without: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    without("s3d")
    assert main(["weights", "--ready"]) == 0
    out, err = capsys.readouterr()
    assert "detector yolo26n.pt and the classifier i3d" in out
    assert err.count("\n") == 1
    without()
    assert main(["weights", "--ready"]) == 0
    assert "classifier s3d" in capsys.readouterr().out
    without("yolo26n.pt")
    assert main(["weights", "--ready"]) == 2
    assert "yolo26n.pt cannot be had" in only_sentence(capsys)


def test_weights_options_that_do_not_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "i3d", "--json"]) == 2
    assert "do not go together" in only_sentence(capsys)


# --- as a program ---


def program(*words: str, **given: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recognizer", *words]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=WORK_S, **given)


def test_help_answers_at_once() -> None:
    took_s = []
    for _ in range(3):
        before = os.times()
        done = program("--help")
        after = os.times()  # of the processor: a busy machine lets programs wait
        took_s.append(after.children_user + after.children_system - before.children_user - before.children_system)
        assert done.returncode == 0
        assert "analyze" in done.stdout
    assert min(took_s) < 0.5


@pytest.mark.parametrize("words", ["--help", "analyze --help", "weights --help", "--version"])
def test_help_imports_no_heavy_library(words: str) -> None:
    code = (
        "import sys; from recognizer.cli import main; code = main(sys.argv[1:]); "
        "heavy = {'torch', 'ultralytics', 'cv2', 'av', 'numpy', 'rich', 'requests', 'streamlit'} & set(sys.modules); "
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split()], cwd=ROOT, text=True, capture_output=True, timeout=WORK_S
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_help_explains_units_ranges_and_defaults() -> None:
    text = " ".join(program("analyze", "--help", env=os.environ | {"COLUMNS": "10000"}).stdout.split())
    for said in (
        *(spec.help for spec in SETTING_SPECS.values()),
        "react sooner. (1 to 64; default: 8)",
        "in percent of its longer side.",
        "(0 to 100; default: 10)",
        "in seconds (default: 0)",
        "; default: yolo26n.pt)",
        "130 ended by Ctrl-C",
        "examples:",
    ):
        assert said in text


def test_a_new_setting_gets_an_option_by_its_entry_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = SettingSpec("Zoom", "--zoom", "How far.", Scope.CROP, limits=Range(1, 9), name="zoom", default=3)
    monkeypatch.setitem(SETTING_SPECS, "zoom", spec)
    monkeypatch.setenv("COLUMNS", "100")
    for command in ("analyze", "compare"):
        assert main([command, "--help"]) == 0
        text = " ".join(capsys.readouterr().out.split())
        assert "--zoom N How far. (1 to 9; default: 3)" in text


def test_every_setting_has_an_option_that_sets_it(
    make_video: MakeVideo, loader: Loader, capsys: pytest.CaptureFixture[str]
) -> None:
    others = Settings(
        "yolo26s.pt", "mvit_v2_s", 20, 5, 3, 0.5, "ocsort", 0.5, "cpu", "float32", "w.pth", "l.txt", "pytorch",
        steady_crop=True, surroundings=True, calibrated=True, smoothing_s=2.0,
        still_below=0.3, fast_from=1.5, keep_features=False,
    )  # fmt: skip
    words = []
    for name, spec in SETTING_SPECS.items():
        value = getattr(others, name)
        assert value != spec.default, f"{name}: give this test another value"
        switch = spec.option if value is True else f"--no-{spec.option.removeprefix('--')}"
        words += [switch] if spec.kind is bool else [spec.option, str(value)]
    assert main(["analyze", str(make_video("a.mp4")), *words, "--quiet"]) == 0
    assert loader.asked == [others]


def test_version() -> None:
    assert program("--version").stdout == f"recognizer {__version__}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break in another way on Windows")
def test_reader_that_goes_away_is_no_traceback(no_weights: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "recognizer", "weights", "--json"],
            cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=WORK_S, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_root_hands_out_the_names_it_promises() -> None:
    import recognizer as root

    for name in root.__all__:
        assert getattr(root, name) is not None
    assert set(root.__all__) <= set(dir(root))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = root.nonsense


def test_root_is_quick_to_import() -> None:
    code = "import sys, recognizer; from recognizer import Settings; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=WORK_S, check=False).returncode == 0


def test_progress_is_shown_on_a_terminal_only(
    make_video: MakeVideo, i3d: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video = str(make_video("a.mp4"))
    for name, value in (("TERM", "xterm"), ("COLUMNS", "120"), ("LINES", "40")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr("recognizer.analysis.file._RATE_AFTER_S", 0.0)
    assert main([*i3d, video, "--csv", "-"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("person_id,")
    assert "analysing 'a.mp4'" in err
    assert "frames/s" in err
    assert "left" in err
    assert main([*i3d, video, "--csv", "-", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_download_shows_its_megabytes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def resolve(name: str, *, progress: Callable[[str, int, int | None], None]) -> Path:
        progress(name, 5_000_000, 50_000_000)
        progress(name, 50_000_000, 50_000_000)
        return tmp_path / name

    for name, value in (("TERM", "xterm"), ("COLUMNS", "120"), ("LINES", "40")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("recognizer.weights.resolve", resolve)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["weights", "i3d"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'i3d'}\n"
    assert "fetching i3d" in err
    assert "50.0 of 50.0 MB" in err
