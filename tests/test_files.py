from __future__ import annotations

import os
import stat
import sys
import threading
import time
from pathlib import Path

import pytest

from recognizer.files import StagedFile, is_abandoned, is_staged, prune_lru, remove_leftovers, staged, write_text


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)


# --- staged ---


def test_the_file_appears_complete_at_the_end_of_the_block(tmp_path: Path) -> None:
    with staged(tmp_path / "a.bin") as part:
        part.write_bytes(b"new")
        assert not (tmp_path / "a.bin").exists()
        assert part.parent == tmp_path
        assert is_staged(part)
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert names_in(tmp_path) == ["a.bin"]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")

    def fail() -> None:
        with staged(tmp_path / "a.bin") as part:
            part.write_bytes(b"ne")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail()
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.bin"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    fill_the_disk(monkeypatch)
    with pytest.raises(OSError, match="No space left"), staged(tmp_path / "a.bin") as part:
        part.write_bytes(b"new")
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.bin"]


def test_a_rename_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").touch()
    with pytest.raises(OSError, match="folder"), staged(tmp_path / "folder") as part:
        part.write_bytes(b"new")
    assert names_in(tmp_path) == ["folder"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), staged(tmp_path / "a.bin"):
        pass
    assert names_in(tmp_path) == []


def test_the_file_is_synced_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there_when_synced = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        there_when_synced.append((tmp_path / "a.bin").exists())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    with staged(tmp_path / "a.bin") as part:
        part.write_bytes(b"new")
    assert there_when_synced == [False]


@pytest.mark.skipif(sys.platform == "win32", reason="modes as POSIX has them")
def test_a_replaced_file_passes_on_its_mode_and_a_new_one_has_the_usual(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    (tmp_path / "old").touch()
    (tmp_path / "old").chmod(0o640)
    for name in ("old", "new"):
        with staged(tmp_path / name) as part:
            part.write_bytes(b"x")
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_of_several_writers_one_wins_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    contents = [bytes([number]) * 100_000 for number in range(8)]
    seen: set[bytes] = set()
    failures: list[BaseException] = []

    def write(content: bytes) -> None:
        try:
            for _ in range(5):
                with staged(target) as part:
                    part.write_bytes(content)
                seen.add(target.read_bytes())
        except BaseException as error:  # noqa: BLE001 - the assertion below reports it
            failures.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert seen <= set(contents)
    assert names_in(tmp_path) == ["a.bin"]


def test_the_final_name_may_be_chosen_after_writing(tmp_path: Path) -> None:
    file = StagedFile(tmp_path)
    file.path.write_bytes(b"x")
    file.commit(tmp_path / "a.bin")
    file.discard()
    assert names_in(tmp_path) == ["a.bin"]


def test_discarding_twice_or_before_anything_is_written_does_nothing(tmp_path: Path) -> None:
    file = StagedFile(tmp_path, "a.bin")
    file.discard()
    file.path.touch()
    file.discard()
    file.discard()
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("name", ["a.bin", "n" * 250 + ".bin", "é" * 120])
def test_only_leftovers_of_the_same_file_are_removed(tmp_path: Path, name: str) -> None:
    for other in (name, f"{name}"[:100] + ".x", "other.bin"):
        StagedFile(tmp_path, other).path.touch()
    remove_leftovers(tmp_path / name)
    left = names_in(tmp_path)
    assert len(left) == 2
    remove_leftovers(tmp_path / "other.bin")
    assert len(names_in(tmp_path)) == 1


def test_an_unfinished_file_counts_as_abandoned_after_a_day(tmp_path: Path) -> None:
    path = StagedFile(tmp_path).path
    assert not is_abandoned(path)
    path.touch()
    assert not is_abandoned(path)
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(path, (two_days_ago, two_days_ago))
    assert is_abandoned(path)


# --- write_text ---


def test_text_is_written_byte_for_byte(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "é\r\nb\n")
    assert (tmp_path / "a.csv").read_bytes() == b"\xc3\xa9\r\nb\n"
    assert names_in(tmp_path) == ["a.csv"]


def test_a_failed_write_leaves_the_old_text_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.csv"
    target.write_text("old")
    fill_the_disk(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        write_text(target, "new")
    assert target.read_text() == "old"
    assert names_in(tmp_path) == ["a.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes as POSIX has them")
def test_a_link_is_followed_and_the_mode_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "real.csv"
    target.write_text("old")
    target.chmod(0o640)
    (tmp_path / "link.csv").symlink_to(target)
    write_text(tmp_path / "link.csv", "new")
    assert (tmp_path / "link.csv").is_symlink()
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="devices as POSIX has them")
def test_a_device_is_written_to_and_not_replaced() -> None:
    write_text("/dev/null", "gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_long_file_name_is_no_problem(tmp_path: Path) -> None:
    write_text(tmp_path / ("n" * 250 + ".csv"), "x")
    assert (tmp_path / ("n" * 250 + ".csv")).read_text() == "x"


# --- prune_lru ---


def entry(folder: Path, name: str, size_bytes: int, used_at: float) -> tuple[Path]:
    path = folder / name
    path.write_bytes(bytes(size_bytes))
    os.utime(path, (used_at, used_at))
    return (path,)


def test_the_least_recently_used_entries_go_until_the_rest_fits(tmp_path: Path) -> None:
    entries = [entry(tmp_path, name, 10, used_at) for name, used_at in (("b", 2), ("a", 1), ("d", 4), ("c", 3))]
    prune_lru(entries, 20, keep=())
    assert names_in(tmp_path) == ["c", "d"]


def test_nothing_goes_while_everything_fits(tmp_path: Path) -> None:
    entries = [entry(tmp_path, name, 10, 1) for name in "abc"]
    prune_lru(entries, 30, keep=())
    assert names_in(tmp_path) == ["a", "b", "c"]


def test_a_kept_entry_stays_but_counts(tmp_path: Path) -> None:
    entries = [entry(tmp_path, name, 10, used_at) for used_at, name in enumerate("abc")]
    prune_lru(entries, 10, keep={tmp_path / "a"})
    assert names_in(tmp_path) == ["a"]


def test_files_of_one_entry_and_whole_folders_go_together(tmp_path: Path) -> None:
    (note,), (data,) = entry(tmp_path, "a.json", 1, 1), entry(tmp_path, "a.bin", 100, 9)
    (tmp_path / "folder").mkdir()
    entry(tmp_path / "folder", "inside", 100, 9)
    os.utime(tmp_path / "folder", (2, 2))
    entries: list[tuple[Path, ...]] = [(note, data, tmp_path / "missing"), (tmp_path / "folder",)]
    prune_lru(entries, 100, keep=())
    assert names_in(tmp_path) == ["folder"]
    prune_lru(entries, 99, keep=())
    assert names_in(tmp_path) == []


def test_an_entry_that_the_system_refuses_to_remove_does_not_count_as_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [entry(tmp_path, name, 10, used_at) for used_at, name in enumerate("abc")]
    unlink = Path.unlink

    def busy(path: Path, missing_ok: bool = False) -> None:
        if path.name == "a":
            raise PermissionError(13, "the file is open in another program")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", busy)
    prune_lru(entries, 20, keep=())
    assert names_in(tmp_path) == ["a", "c"]


def test_several_processes_may_prune_one_folder_at_once(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    failures: list[BaseException] = []

    def add_and_prune(worker: int) -> None:
        try:
            for turn in range(30):
                ready = tmp_path / f"{worker}-{turn}"
                ready.mkdir()
                (ready / "data").write_bytes(bytes(100))
                ready.rename(cache / ready.name)
                prune_lru([(path,) for path in cache.iterdir()], 500, keep={cache / ready.name})
        except BaseException as error:  # noqa: BLE001 - the assertion below reports it
            failures.append(error)

    threads = [threading.Thread(target=add_and_prune, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    prune_lru([(path,) for path in cache.iterdir()], 500, keep=())
    assert 0 < len(names_in(cache)) <= 5
