"""The order of a recording's files, by their names and clocks."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from recognizer.errors import VideoError
from recognizer.video.source import VideoSource, gaps, in_order, recording_sha256

RECORDINGS = {
    "GoPro since HERO6": ["GX010042.MP4", "GX020042.MP4", "GX100042.MP4"],
    "GoPro before HERO6": ["GOPR0042.MP4", "GP010042.MP4", "GP020042.MP4"],
    "camcorder": ["00008.MTS", "00009.MTS", "00010.MTS"],
    "numbers without zeros": ["cam 9.mp4", "cam 10.mp4", "cam 11.mp4"],
    "network recorder": ["ch01_20261231235500.mp4", "ch01_20270101000000.mp4"],
    "with start and end": ["10.00.00-10.05.00[M][0@0][0].dav", "10.05.00-10.10.00[M][0@0][0].dav"],
    "day first": ["cam_31-12-2026_23-55-00.mp4", "cam_01-01-2027_00-00-00.mp4"],
    "parts of one start": ["rec_20261231_235500_001.mp4", "rec_20261231_235500_002.mp4"],
    "drone": ["DJI_20261231235500_0009_D.MP4", "DJI_20270101000000_0010_D.MP4"],
    "DVD": ["VTS_01_1.VOB", "VTS_01_2.VOB"],
}


@pytest.mark.parametrize("kind", RECORDINGS)
def test_files_come_in_the_order_of_their_names_and_clocks(kind: str) -> None:
    names = RECORDINGS[kind]
    shuffled = random.Random(len(kind)).sample(names, len(names))
    assert [shuffled[k] for k in in_order(shuffled)] == names
    assert [shuffled[k] for k in in_order([name.swapcase() for name in shuffled])] == names


@pytest.mark.parametrize(
    ("names", "fact"),
    [
        (["GX010042.MP4", "GX010043.MP4"], "'GX010042.MP4' and 'GX010043.MP4' are not parts of one recording"),
        (["kitchen.mp4", "garden.mp4"], "are not parts of one recording"),
        (["ch1_20261231235500.mp4", "ch2_20261231235500.mp4"], "begin at the same time"),
        (["cam1_1.mp4", "cam1_1.avi"], "have the same place in the recording"),
    ],
)
def test_files_of_two_recordings_are_refused_in_one_sentence(names: list[str], fact: str) -> None:
    with pytest.raises(VideoError, match=fact) as caught:
        in_order(names)
    assert str(caught.value).endswith(".")
    assert ". " not in str(caught.value)


@pytest.mark.parametrize(
    ("names", "duration_s", "told"),
    [
        (["GX010042.MP4", "GX030042.MP4"], 600.0, ["By their names, a file is missing between"]),
        (["GX020042.MP4", "GX030042.MP4"], 600.0, ["The recording begins with chapter 2;"]),
        (["00008.MTS", "00012.MTS"], None, ["By their names, 3 files are missing between"]),
        (["a_20261231235500.mp4", "a_20270101000030.mp4"], 300.4, ["By their names, 30 s are missing between"]),
        (["a_20261231235500.mp4", "a_20270101000000.mp4"], 299.0, []),
        (["a_20261231235500.mp4", "a_20270101000000.mp4"], None, []),
        (["GX010042.MP4", "GX020042.MP4"], 600.0, []),
        (["GOPR0042.MP4", "GP010042.MP4"], 600.0, []),
    ],
)
def test_missing_part_is_told_in_one_sentence(names: list[str], duration_s: float | None, told: list[str]) -> None:
    found = list(gaps(names, [duration_s] * 2))
    assert len(found) == len(told)
    for sentence, start in zip(found, told, strict=True):
        assert sentence.startswith(start)
        assert ". " not in sentence


def test_source_is_named_after_its_first_file() -> None:
    paths = tuple(Path(f"GX0{k}0042.MP4") for k in (1, 2, 3))
    assert VideoSource(paths[:1]).name == "GX010042.MP4"
    assert VideoSource(paths[:2]).name == "GX010042.MP4 and 1 more part"
    assert VideoSource(paths).name == "GX010042.MP4 and 2 more parts"


def test_hash_of_a_recording_is_that_of_its_parts_in_order() -> None:
    assert recording_sha256(["ab", "cd"]) != recording_sha256(["cd", "ab"])
    assert recording_sha256(["ab", "cd"]) == recording_sha256(("ab", "cd"))
