"""The whole hash of a file of which only the first digits are published: as seen first, or as the operator says."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from recognizer import weights
from recognizer.errors import SettingsError, WeightsError
from recognizer.limits import limits
from recognizer.weights import PublishedFile, known_hash, resolver
from recognizer.weights.trust import SEEN_NAME

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _fresh(empty_cache: Path) -> Iterator[None]:
    limits.cache_clear()
    empty_cache.joinpath("weights").mkdir(parents=True)
    yield
    limits.cache_clear()


def item() -> PublishedFile:
    """A file of which one digit is published, so that a test finds another file with it."""
    return PublishedFile("net", "classifier", "net.pth", "MIT", sha256_prefix=SHA256[:1], official_url=None)


def look_alike() -> bytes:
    """Another content whose hash begins with the same digit."""
    contents = (b"other %d" % k for k in count())
    return next(one for one in contents if hashlib.sha256(one).hexdigest()[:1] == SHA256[:1])


_CHANGED_S = count(1_700_000_000, 2)


def put(content: bytes) -> Path:
    """Write the file with a time of its own: two at the same moment would have one, and may have one size."""
    path = weights.cache_dir() / "net.pth"
    path.write_bytes(content)
    os.utime(path, (changed_s := next(_CHANGED_S), changed_s))
    return path


def test_first_use_writes_the_whole_hash_down_and_later_files_must_have_it() -> None:
    assert known_hash(item()) is None
    path = put(CONTENT)
    assert resolver.obtain(item()) == path
    assert (weights.cache_dir() / SEEN_NAME).read_text() == f"{SHA256}  net.pth\n"
    assert known_hash(item()) == (SHA256, "first seen")
    put(look_alike())
    with pytest.raises(WeightsError):
        resolver.obtain(item())
    assert not path.exists(), "the other file is not left in the cache"
    put(CONTENT)
    assert resolver.here(item()) == path


def test_users_folder_is_held_to_the_hash_that_was_seen_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(CONTENT)
    resolver.obtain(item())
    monkeypatch.setenv("RECOGNIZER_WEIGHTS", str(tmp_path))
    (tmp_path / "net.pth").write_bytes(look_alike())
    with pytest.raises(WeightsError, match=f"but the published file has {SHA256}, which it had when it was first used"):
        resolver.obtain(item())


def test_operators_hash_counts_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNIZER_LIMIT_WEIGHTS_SHA256", f"other.pth={64 * '0'}, net.pth={SHA256.upper()}")
    assert known_hash(item()) == (SHA256, "operator")
    put(look_alike())
    assert resolver.here(item()) is None
    put(CONTENT)
    assert resolver.here(item()) is not None
    assert not (weights.cache_dir() / SEEN_NAME).exists()


def test_operators_list_that_is_wrong_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOGNIZER_LIMIT_WEIGHTS_SHA256", "net.pth")
    with pytest.raises(SettingsError, match=r"weights_sha256 lists 'net\.pth'; write a file's name, = and 64"):
        known_hash(item())


def test_file_whose_hash_is_published_needs_no_first_use() -> None:
    nano = weights.published("yolo26n.pt")
    assert known_hash(nano) == (nano.sha256, "published")


def test_cache_that_cannot_be_written_to_still_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = put(CONTENT)
    monkeypatch.setattr("recognizer.weights.trust.staged", refuse)
    assert resolver.here(item()) == path
    assert known_hash(item()) is None
