"""The batches that this server shows, to whom, and their progress."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from starlette.requests import HTTPConnection

from recognizer.batch.findings import Findings
from recognizer.batch.places import Batch, batches_dir, batches_in
from recognizer.batch.watching import Progress, Watcher
from recognizer.dashboard.parts import visitor
from recognizer.errors import StoreError
from recognizer.limits import limits

ONLY_OPERATORS = (
    "Batches are for those who run this server: sign in with an address that is listed under operators, or have them "
    "shared with all visitors (batches_are_shared). On your own machine, start with make run, or set "
    "RECOGNIZER_LIMIT_ALONE=true."
)


def may_see() -> bool:
    """Return whether this visitor may see the batches, and open what they found."""
    return limits().batches_are_shared or visitor.is_operator()


def may_see_of(request: HTTPConnection) -> bool:
    """Return whether whoever sends a request may; see ``may_see``."""
    return limits().batches_are_shared or visitor.is_operator_of(request)


def known_batches() -> list[Batch]:
    """Return the batches of this server, the one that changed last first."""
    return batches_in([batches_dir(), *limits().batch_folders])


def batch_named(batch_id: str) -> Batch | None:
    """Return the batch with this id; None if it is not one of this server's."""
    return next((batch for batch in known_batches() if batch.batch_id == batch_id), None)


def progress_of(batch: Batch) -> Progress:
    """Return how far a batch is; counted again only if its manifest has changed.

    Raises:
        StoreError: it cannot be read.
    """
    return _progress(batch, _state(batch.folder.manifest))


def findings_of(batch: Batch, settings: str | None = None) -> Findings:
    """Return what was found in a batch, as it is now; see ``Findings``.

    Raises:
        StoreError: it cannot be read.
    """
    return _findings(batch, settings, _state(batch.folder.manifest))


@lru_cache(maxsize=256)
def _progress(batch: Batch, _as_it_is: tuple[int, int]) -> Progress:
    return Watcher(batch).progress()


@lru_cache(maxsize=2)
def _findings(batch: Batch, settings: str | None, _as_it_is: tuple[int, int]) -> Findings:
    return Findings(batch, settings)


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise StoreError("this batch is not on this machine any more; load the page again.") from error
    return status.st_mtime_ns, status.st_size
