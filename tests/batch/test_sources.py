"""What sources become: files, folders, patterns and lists."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from recognizer.batch.recipe import Recipe
from recognizer.batch.sources import Entry, Sources, local_path, place_of
from recognizer.errors import SettingsError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of videos and other files."""
    for name in ("a.mp4", "b/c.MKV", "b/d/e.avi", "notes.txt", ".hidden.mp4", ".cache/f.mp4", "out/g.mp4"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "in"


def entries(*sources: Path | str, without: Path = Path("/nowhere")) -> tuple[list[Entry], list[str]]:
    found = Sources(tuple(map(str, sources)), Recipe(), without)
    return list(found.entries()), found.problems


def names(*sources: Path | str, without: Path = Path("/nowhere")) -> list[str]:
    return [Path(one.place).name for one in entries(*sources, without=without)[0]]


def test_a_folder_gives_its_videos_and_those_below_but_no_results(folder: Path) -> None:
    assert names(folder, without=folder / "out") == ["a.mp4", "c.MKV", "e.avi"]


def test_the_folder_of_the_results_is_no_source(folder: Path) -> None:
    found, problems = entries(folder, without=folder)
    assert (found, problems) == ([], [f"'{folder}' is the folder of the results; give another --out."])


def test_a_file_is_taken_whatever_its_ending(folder: Path) -> None:
    ((one,), problems) = entries(folder / "a.mp4")
    assert (one.place, one.name, one.size_bytes, problems) == (str(folder / "a.mp4"), "a.mp4", 5, [])
    assert one.changed == str((folder / "a.mp4").stat().st_mtime_ns)


def test_a_pattern_gives_what_fits(folder: Path) -> None:
    assert names(f"{folder}/**/*.[aM]*") == ["c.MKV", "e.avi"]
    (folder / "odd[1].mp4").touch()
    assert names(folder / "odd[1].mp4") == ["odd[1].mp4"], "a file with such a name is no pattern"


def test_what_is_not_there_is_a_sentence_or_fails_later(folder: Path) -> None:
    assert entries(f"{folder}/*.webm")[1] == [
        f"no file is named like '{folder}/*.webm'; check the pattern, or put it in quotes."
    ]
    (folder / "empty").mkdir()
    assert entries(folder / "empty")[1] == [f"'{folder}/empty' holds no video; name files, or a folder with videos."]
    ((one,), problems) = entries(folder / "gone.mp4")
    assert (one.size_bytes, one.changed, problems) == (None, "", [])


def test_a_text_list_names_paths_relative_to_itself(folder: Path) -> None:
    (folder / "list.txt").write_text("# the first day\na.mp4\n\nb\n")
    assert names(folder / "list.txt") == ["a.mp4", "c.MKV", "e.avi"]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_has_ids_groups_and_settings(folder: Path, delimiter: str) -> None:
    lines = ["path,id,group,classifier,skip", "a.mp4,first,cats,,", "b/c.MKV,second,dogs,i3d,1"]
    (folder / "list.csv").write_text("\ufeff" + "\r\n".join(lines).replace(",", delimiter))
    (one, other), _ = entries(folder / "list.csv")
    assert (one.name, one.group, one.recipe) == ("first", "cats", Recipe())
    assert (other.name, other.group) == ("second", "dogs")
    assert other.recipe.own == {"video_classifier_model": "i3d", "skip_frame": 1}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,id\na.mp4,1\n", "has no column path; begin it with a line such as path,id,group"),
        ("path,speed\na.mp4,1\n", "has a column 'speed', which is not a setting; choose from path, id, group, "),
        ("path,skip\na.mp4,99\n", "line 2 of .* skip_frame is 99; give a value from 1 to 30"),
        ("path,id\na.mp4,1,2\n", "line 2 of .* has more values than the first line"),
        ('path,id\n"a.mp4,1\n' + "b.mp4,2\n" * 20_000, "line .* is not that of a table .* close each quote"),
    ],
)
def test_a_table_that_does_not_fit_is_a_sentence(folder: Path, text: str, sentence: str) -> None:
    (folder / "list.csv").write_text(text)
    with pytest.raises(SettingsError, match=sentence):
        entries(folder / "list.csv")


def test_a_list_that_cannot_be_read_does_not_stop_the_others(folder: Path) -> None:
    (folder / "latin.txt").write_bytes(b"caf\xe9.mp4\n")
    (folder / "wide.csv").write_bytes("path\na.mp4\n".encode("utf-16-le"))
    found, problems = entries(folder / "gone.csv", folder / "latin.txt", folder / "a.mp4", folder / "wide.csv")
    assert len(found) == 1
    assert "(no such file or directory)" in problems[0]
    assert "(it is not UTF-8)" in problems[1]
    assert "(it is not UTF-8)" in problems[2]


def test_a_name_that_is_no_text_survives_a_database() -> None:
    path = os.fsdecode(b"/videos/caf\xe9 100%.mp4")
    place = place_of(path)
    assert place.encode()
    assert local_path(place) == Path(path)
    assert local_path(place_of("/videos/café 100%.mp4")) is None
