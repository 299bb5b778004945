"""Praat's TextGrids, Audacity's label tracks."""

from __future__ import annotations

from pathlib import Path

import pytest
from praatio import textgrid

from recognizer.annotations.reading import read_labels
from recognizer.annotations.remarks import Remark
from recognizer.errors import TruthError
from tests.support.labels import labels_in, read

SHORT = 'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3\n<exists>\n1\n"IntervalTier"\n"Anna"\n0\n3\n3\n'


@pytest.mark.parametrize("name", ["praat_short.TextGrid", "praat_long.TextGrid", "praat_from_elan.TextGrid"])
def test_real_textgrids_have_the_intervals_that_praatio_reads(annotations_dir: Path, name: str) -> None:
    file = read_labels((annotations_dir / name).read_bytes(), name)
    theirs = textgrid.openTextgrid(str(annotations_dir / name), includeEmptyIntervals=False)
    expected = [
        (tier.name, entry.label, float(entry.start), float(entry.end))
        for tier in theirs.tiers
        if isinstance(tier, textgrid.IntervalTier)
        for entry in tier.entries
    ]
    assert len(expected) > 10
    assert labels_in(file) == expected
    points = sum(len(tier.entries) for tier in theirs.tiers if isinstance(tier, textgrid.PointTier))
    assert [remark.count for remark in file.remarks] == ([points] if points else [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_texts_in_every_encoding_with_quotes_and_without_a_last_newline(encoding: str) -> None:
    text = SHORT + '0\n1\n""\n1\n2.5\n"sagt ""ä"" ! 3"\n2.5\n3e0\n"two\nlines"'
    data = text.encode(encoding)
    if encoding == "utf-16-be":
        data = b"\xfe\xff" + data  # as Praat writes it
    # praatIO 6.2.2 loses the last interval here
    assert labels_in(read_labels(data, "a.TextGrid")) == [
        ("Anna", 'sagt "ä" ! 3', 1, 2.5),
        ("Anna", "two lines", 2.5, 3),
    ]


def test_negative_times_keep_their_sign() -> None:
    assert labels_in(read(SHORT + '-1\n1\n"a"\n1\n2\n""\n2\n3\n""\n', "a.TextGrid")) == [("Anna", "a", -1, 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SHORT + '0\n1\n"a"\n', "'a.TextGrid' is damaged: tier 'Anna', interval 2 has no number where one belongs;"),
        (SHORT.replace("TextGrid", "Pitch\nTier"), "'a.TextGrid' holds a Pitch Tier of Praat; save the TextGrid."),
        (SHORT.replace("\n3\n3\n", "\n3\n1e999\n"), "is damaged: tier 1 has no number where one belongs;"),
        (SHORT + '0\n1\n""\n1\n2\n""\n2\n3\n""\n', "'a.TextGrid' has no label"),
    ],
)
def test_a_damaged_textgrid_is_refused_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(TruthError) as raised:
        read(text, "a.TextGrid")
    assert message in str(raised.value)


def test_labels_of_audacity(annotations_dir: Path) -> None:
    path = annotations_dir / "audacity.txt"
    file = read_labels(path.read_bytes(), path.name)
    assert file.format == "Audacity labels"
    assert len(file.parts[0].labels) == len(path.read_text().splitlines())
    assert labels_in(file)[:2] == [("", "SIL", 0, 0.7698181682), ("", "call", 0.7698181682, 1.1312740106)]


def test_labels_of_audacity_with_frequencies_and_decimal_commas() -> None:
    file = read("0,5\t1,5\tcall\n\\\t100,0\t200,0\n2,0\t2,0\tpoint\n3,0\t4,0\n", "labels.txt")
    assert labels_in(file) == [("", "call", 0.5, 1.5), ("", "point", 2, 2)]
    assert file.remarks == (Remark("labels without a text", 1, "row 4", left_out=True),)
