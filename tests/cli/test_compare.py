"""``compare`` with scripted networks: one pass, complete files, one-sentence errors, a report that works offline."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from recognizer.cli import main
from recognizer.errors import WeightsError
from recognizer.networks import cache
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.corrections import Corrections
from recognizer.timeline.corrections_file import corrections_json
from recognizer.timeline.edits import Hide, Relabel
from recognizer.timeline.groups import LabelGroups, groups_json
from recognizer.types import Clip
from tests.support.command_line import only_sentence
from tests.support.fakes import ScriptedClassifier, ScriptedDetector, always, numbered_video, person
from tests.support.tables import rows_of

LABELS = "person_id,action,start_s,end_s\n1,Waving,0,1\n1,<b>resting</b>,1,2\n"
BORIS = "Observation id,Subject,Behavior,Behavior type,Start (s),Stop (s)\n"


class Networks:
    def __init__(self) -> None:
        self.detector = ScriptedDetector(always(person()))
        self.missing: set[str] = set()

    def get(self, _: object, settings: Settings, progress: object = None) -> Models:
        name = settings.video_classifier_model
        if name in self.missing:
            raise WeightsError(f"the weights of {name} cannot be had; put them into the folder.")

        def says(clip: Clip) -> tuple[tuple[str, float], ...]:
            best = "jogging" if name == "mc3_18" and clip.start_s > 0.9 else "waving"
            return ((best, 0.6), ("yoga", 0.3))

        classifier = ScriptedClassifier(says)
        classifier.name = name
        return Models(self.detector, classifier, {"detector_sha256": "0" * 64})


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Networks:
    scripted = Networks()
    monkeypatch.setattr(cache.ModelCache, "get", lambda *args, **more: scripted.get(*args, **more))
    return scripted


@pytest.fixture
def video(make_video: Callable[..., Path]) -> str:
    return str(numbered_video(make_video, 60))


def test_everything_at_once(networks: Networks, video: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    networks.missing = {"s3d"}
    (tmp_path / "labels.csv").write_text(LABELS)
    files = {name: tmp_path / f"out.{name}" for name in ("csv", "json", "html")}
    code = main(
        [
            "compare", video, "--classifiers", "i3d:4,i3d, s3d,mc3_18", "--truth", str(tmp_path / "labels.csv"),
            "--csv", str(files["csv"]), "--json", str(files["json"]), "--report", str(files["html"]),
        ]
    )  # fmt: skip
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert "error: s3d did not run: the weights of s3d cannot be had; put them into the folder." in captured.err
    assert len(networks.detector.seen) == 30

    rows = rows_of(files["csv"].read_text())
    assert list(dict.fromkeys(row["classifier"] for row in rows)) == ["i3d, 4 samples", "i3d, 8 samples", "mc3_18"]

    document = json.loads(files["json"].read_text())
    names = [entry["name"] for entry in document["entries"]]
    assert names == ["i3d, 4 samples", "i3d, 8 samples", "s3d", "mc3_18"]
    assert document["entries"][2]["problem"].startswith("the weights of s3d")
    pair = next(one for one in document["agreement"] if one["classifiers"] == ["i3d, 8 samples", "mc3_18"])
    assert pair["share"] < 1
    assert document["disagreements"][0]["actions"] == ["waving", "jogging"]
    assert [one["classifier"] for one in document["scores"]] == ["i3d, 4 samples", "i3d, 8 samples", "mc3_18"]
    assert document["scores"][0]["confusion"]["labels"][0] in ("waving", "<b>resting</b>")
    assert str(tmp_path) not in files["json"].read_text()

    report = files["html"].read_text()
    assert "<b>resting</b>" not in re.sub(r"<script.*?</script>", "", report, flags=re.DOTALL)
    assert "&lt;b&gt;resting&lt;/b&gt;" in report
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", report)
    assert "s3d</b> did not run" in report


def test_without_outputs_it_prints_tables(
    networks: Networks, video: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels.csv").write_text(LABELS)
    assert main(["compare", video, "--classifiers", "i3d,mc3_18", "--truth", str(tmp_path / "labels.csv")]) == 0
    printed = capsys.readouterr().out
    for words in (
        "i3d and mc3_18",
        "Against your labels",
        "Precision (%)",
        "Cost of each classifier",
        "Clips per second",
    ):
        assert words in printed


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--classifiers", "i3d"], "name 1; give 2 to 20 to compare"),
        ([], "name 0; give 2 to 20 to compare"),
        (["--classifiers", "i3d,r3d"], "--classifiers has 'r3d'; choose from s3d"),
        (["--classifiers", "i3d:x,s3d"], "--classifiers has 'i3d:x'; give a whole number of samples"),
        (["--classifiers", "i3d:99,s3d"], "--sequence-length is 99; give a value from 1 to 64."),
        (["--classifiers", "i3d,i3d"], "i3d is listed twice with the same settings"),
        (["--classifiers", "i3d", "--own", "r3d", "a", "b"], "--own has 'r3d'; choose from"),
        (["--classifiers", "i3d,s3d", "--csv", "-", "--report", "-"], "both go to standard output"),
        (["--classifiers", "i3d,s3d", "--truth", "nowhere.csv"], "'nowhere.csv' cannot be read (no such file"),
        (["--classifiers", "i3d,s3d", "--min-confidence", "2"], "--min-confidence is 2; give a number from 0 to 1."),
    ],
)
def test_impossible_request_is_reported_in_one_sentence(
    networks: Networks, video: str, options: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", video, *options]) == 2
    assert told in only_sentence(capsys)


def test_bad_labels_are_reported_before_any_network_runs(
    networks: Networks, video: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels.csv").write_text("action,start_s,end_s\nwaving,2,soon\n")
    assert main(["compare", video, "--classifiers", "i3d,mc3_18", "--truth", str(tmp_path / "labels.csv")]) == 2
    assert "'labels.csv' has no label that can be read: rows whose start or end is not a time" in only_sentence(capsys)
    assert networks.detector.seen == []


@pytest.mark.parametrize(
    ("labels", "options", "told"),
    [
        ("person_id,action,start_s,end_s\nAnna B,waving,0,1\n", [], "has labels of Anna B; say who they are, such as"),
        (LABELS, ["--truth-person", "Anna"], "--truth-person is 'Anna'; give a name and a person's number"),
        (LABELS, ["--truth-person", "Anna=first"], "--truth-person is 'Anna=first'; give a name"),
        (LABELS, ["--truth-begins", "later"], "--truth-begins is 'later'; give seconds or hh:mm:ss."),
        (LABELS, ["--truth-from", "two"], "--truth-from is 'two'; 'labels.csv' has only one recording."),
        (f"{BORIS}one,,waving,STATE,0,1\ntwo,,waving,STATE,0,1\n", [], "choose one of 'one', 'two' with --truth-from."),
    ],
)
def test_what_labels_leave_open_is_reported_before_any_network_runs(
    networks: Networks,
    video: str,
    tmp_path: Path,
    labels: str,
    options: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "labels.csv").write_text(labels)
    command = ["compare", video, "--classifiers", "i3d,mc3_18", "--truth", str(tmp_path / "labels.csv"), *options]
    assert main(command) == 2
    assert told in only_sentence(capsys)
    assert networks.detector.seen == []


def test_options_answer_what_labels_leave_open(
    networks: Networks, video: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "labels.csv").write_text(
        f"{BORIS}one,Anna B,waving,STATE,60,61\none,Anna B,talking,STATE,60.5,NA\ntwo,,resting,STATE,0,1\n"
    )
    options = [
        "--truth-from",
        "one",
        "--truth-person",
        "Anna B=1",
        "--truth-begins",
        "1:00",
        "--truth-exclusive",
        "waving",
    ]
    command = ["compare", video, "--classifiers", "i3d,mc3_18", "--truth", str(tmp_path / "labels.csv"), *options]
    assert main([*command, "--json", "-"]) == 0
    captured = capsys.readouterr()
    [score, _] = json.loads(captured.out)["scores"]
    assert [one["action"] for one in score["classes"]] == ["waving"]
    assert [one["action"] for one in score["apart"]] == ["talking"]
    assert "open ends, which last until the video ends (1, row 3)" in captured.err


def test_no_available_classifier_is_an_error_without_files(
    networks: Networks, video: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks.missing = {"s3d", "r3d_18"}
    assert main(["compare", video, "--classifiers", "s3d,r3d_18", "--csv", str(tmp_path / "out.csv")]) == 2
    assert capsys.readouterr().err.count("did not run") == 2
    assert not (tmp_path / "out.csv").exists()


def test_people_are_corrected_and_labels_folded(
    networks: Networks, video: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks.detector = ScriptedDetector(always(person(), person((40, 8, 56, 40))))
    corrections = Corrections((Hide(2), Relabel(1, 0.0, 1.0, "yoga")))
    (tmp_path / "c.json").write_text(corrections_json(corrections, None))
    (tmp_path / "g.json").write_text(groups_json(LabelGroups({"moving": ("Waving", "jogging")})))
    (tmp_path / "labels.csv").write_text("person_id,action,start_s,end_s\n1,waving,0,2\n")
    options = ["--corrections", str(tmp_path / "c.json"), "--groups", str(tmp_path / "g.json")]
    truth = ["--truth", str(tmp_path / "labels.csv"), "--json", str(tmp_path / "out.json")]
    assert (
        main(["compare", video, "--classifiers", "i3d,mc3_18", "--csv", str(tmp_path / "out.csv"), *options, *truth])
        == 0
    )
    rows = rows_of((tmp_path / "out.csv").read_text())
    assert {(row["person_id"], row["action"], row["source"]) for row in rows} == {("1", "moving", "machine")}
    document = json.loads((tmp_path / "out.json").read_text())
    assert [one["share_right"] for one in document["scores"]] == [1.0, 1.0], "the labels are folded too"
    (tmp_path / "c.json").write_text(corrections_json(corrections, "ab" * 32))
    capsys.readouterr()
    assert main(["compare", video, "--classifiers", "i3d,mc3_18", *options[:2]]) == 2
    assert "corrects another video" in only_sentence(capsys)
