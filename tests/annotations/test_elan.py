"""ELAN's annotation files and tab-delimited text."""

from __future__ import annotations

from pathlib import Path

import pytest
from pympi import Elan

from recognizer.annotations.model import AN_ACTION, EVERYONE, Answers
from recognizer.annotations.reading import read_labels
from recognizer.annotations.remarks import Remark
from recognizer.errors import TruthError
from tests.support.labels import fitted, labels_in, read, rows_of


def eaf(tiers: str, *, slots: tuple[int | None, ...] = (0, 1000, 2000, 4000), header: str = "") -> str:
    times = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="ts{k}"{"" if value is None else f" TIME_VALUE={chr(34)}{value}{chr(34)}"}/>'
        for k, value in enumerate(slots)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ANNOTATION_DOCUMENT AUTHOR="" VERSION="3.0">'
        f'<HEADER TIME_UNITS="milliseconds">{header}</HEADER><TIME_ORDER>{times}</TIME_ORDER>{tiers}'
        '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default" TIME_ALIGNABLE="true"/>'
        '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="parts" CONSTRAINTS="Symbolic_Subdivision" TIME_ALIGNABLE="false"/>'
        '<LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="gloss" CONSTRAINTS="Symbolic_Association" TIME_ALIGNABLE="false"/>'
        "</ANNOTATION_DOCUMENT>"
    )


def tier(name: str, *annotations: str, kind: str = "default", participant: str = "") -> str:
    inside = "".join(f"<ANNOTATION>{one}</ANNOTATION>" for one in annotations)
    return f'<TIER TIER_ID="{name}" LINGUISTIC_TYPE_REF="{kind}" PARTICIPANT="{participant}">{inside}</TIER>'


def aligned(key: str, start: int, end: int, text: str) -> str:
    return (
        f'<ALIGNABLE_ANNOTATION ANNOTATION_ID="{key}" TIME_SLOT_REF1="ts{start}" TIME_SLOT_REF2="ts{end}">'
        f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION>"
    )


def referring(key: str, parent: str, text: str) -> str:
    return (
        f'<REF_ANNOTATION ANNOTATION_ID="{key}" ANNOTATION_REF="{parent}">'
        f"<ANNOTATION_VALUE>{text}</ANNOTATION_VALUE></REF_ANNOTATION>"
    )


def test_tiers_are_subjects_until_somebody_says_what_they_are() -> None:
    text = eaf(tier("Anna", aligned("a1", 0, 1, "walking")) + tier("wave", aligned("a2", 2, 3, "left")))
    file = read(text, "a.eaf")
    assert file.format == "ELAN"
    assert file.subjects_are_tiers
    assert labels_in(file) == [("Anna", "walking", 0, 1), ("wave", "left", 2, 4)]
    truth = fitted(file, answers=Answers(people={"Anna": 2, "wave": AN_ACTION}))
    assert rows_of(truth.rows) == [(2, "walking", 0, 1), (None, "wave", 2, 4)]
    assert rows_of(fitted(file, answers=Answers(people={"wave": EVERYONE})).rows) == [(None, "left", 2, 4)]


def test_a_participant_is_the_subject_of_its_tiers() -> None:
    both = tier("gesture", aligned("a1", 0, 1, "wave"), participant="Anna") + tier(
        "posture", aligned("a2", 0, 3, "stand"), participant="Anna"
    )
    file = read(eaf(both + tier("Ben-talk", aligned("a3", 1, 2, "talk"), participant="Ben")), "a.eaf")
    assert [subject for subject, *_ in labels_in(file)] == ["Anna, gesture", "Anna, posture", "Ben"]


def test_a_time_without_a_value_lies_between_its_neighbours() -> None:
    words = tier("words", aligned("a1", 0, 1, "x"), aligned("a2", 1, 2, "y"), aligned("a3", 2, 3, "z"))
    file = read(eaf(words, slots=(1000, None, None, 4000)), "a.eaf")
    assert labels_in(file) == [("words", "x", 1, 2), ("words", "y", 2, 3), ("words", "z", 3, 4)]


def test_annotations_that_refer_to_others_take_their_time() -> None:
    tiers = (
        tier("gloss", referring("g1", "p1", "first"), kind="gloss")  # before its parent in the file
        + tier("parts", referring("p1", "a1", "x"), referring("p2", "a1", "y"), kind="parts")
        + tier("whole", aligned("a1", 0, 2, "both"))
        + tier("lost", referring("l1", "nothing", "z"), kind="gloss")
    )
    file = read(eaf(tiers), "a.eaf")
    assert labels_in(file) == [
        ("gloss", "first", 0, 1),
        ("parts", "x", 0, 1),
        ("parts", "y", 1, 2),
        ("whole", "both", 0, 2),
    ]
    assert file.remarks == (Remark("annotations without a time", 1, "annotation l1", left_out=True),)


def test_a_medium_that_begins_elsewhere_moves_the_clock() -> None:
    walking = tier("1", aligned("a1", 0, 1, "walking"))
    media = '<MEDIA_DESCRIPTOR MEDIA_URL="file:///x/{}" TIME_ORIGIN="{}"/>'
    file = read(eaf(walking, header=media.format("clip.mp4", 500)), "a.eaf")
    assert rows_of(fitted(file).rows) == [(1, "walking", 0.5, 1.5)]
    file = read(eaf(walking, header=media.format("other.mp4", 0) + media.format("clip.mp4", 2000)), "a.eaf")
    assert rows_of(fitted(file).rows) == [(1, "walking", 2, 3)]


def test_frames_of_video_standards_are_converted() -> None:
    text = eaf(tier("1", aligned("a1", 0, 1, "walking")), slots=(25, 50)).replace("milliseconds", "PAL-frames")
    assert labels_in(read(text, "a.eaf")) == [("1", "walking", 1, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            eaf(tier("1", aligned("a1", 0, 9, "x"))),
            "'a.eaf' is damaged ('ts9' is missing or invalid); save it again in ELAN.",
        ),
        (eaf(tier("1"))[:200], "'a.eaf' is damaged (unclosed token"),
        (eaf(tier("1")), "'a.eaf' has no label"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "'a.eaf' has a DOCTYPE, which no file of labels needs;"),
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(TruthError) as raised:
        read(text, "a.eaf")
    assert message in str(raised.value)


def test_what_pympi_writes_is_read_back(tmp_path: Path) -> None:
    written = Elan.Eaf()
    written.remove_tier("default")
    for name in ("Person 1", "Person 2"):
        written.add_tier(name)
    written.add_annotation("Person 1", 500, 2000, "a & b")
    written.add_annotation("Person 2", 0, 40, "<c>")
    written.to_file(str(tmp_path / "a.eaf"))
    file = read_labels((tmp_path / "a.eaf").read_bytes(), "a.eaf")
    assert rows_of(fitted(file).rows) == [(2, "<c>", 0, 0.04), (1, "a & b", 0.5, 2)]


def test_a_real_file_of_many_tiers_has_the_times_that_pympi_reads(annotations_dir: Path) -> None:
    path = annotations_dir / "elan_many_tiers.eaf"
    file = read_labels(path.read_bytes(), path.name)
    by_tier = {
        "text", "words-timesub", "words-symsub", "gestures", "gest_included", "words-pos"
    }  # fmt: skip
    assert {subject for subject, *_ in labels_in(file)} == by_tier
    theirs = Elan.Eaf(str(path))
    for name in ("text", "gestures", "gest_included"):
        known = [one for one in theirs.get_annotation_data_for_tier(name) if None not in one[:2] and one[2].strip()]
        assert len(known) > 300
        ours = [(start, end, text) for subject, text, start, end in labels_in(file) if subject == name]
        assert ours == [(start / 1000, end / 1000, " ".join(text.split())) for start, end, text in known]


def test_tab_delimited_text(annotations_dir: Path) -> None:
    path = annotations_dir / "elan_tab_delimited.txt"
    file = read_labels(path.read_bytes(), path.name)
    assert file.format == "ELAN, tab-delimited text"
    assert labels_in(file) == [("Anna", "walking", 0.5, 2), ("Anna", "sitting", 2, 9.9)]


def test_tab_delimited_text_with_fewer_columns_and_a_participant() -> None:
    text = "gesture\tAnna\t0.500\t2.000\t1.500\twave\ngesture\tAnna\t2.000\t3.000\t1.000\t\n"
    file = read(text, "a.txt")
    assert labels_in(file) == [("Anna", "wave", 0.5, 2)]
    assert file.remarks == (Remark("annotations without a text", 1, left_out=True),)
