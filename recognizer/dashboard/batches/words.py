"""What the page says about a batch."""

from __future__ import annotations

from recognizer.batch.watching import Progress


def state_of(progress: Progress, *, is_working: bool) -> str:
    """Return in a few words what becomes of a batch."""
    if is_working:
        return "works now"
    if not progress.total:
        return "empty"
    if progress.waiting > progress.again:
        return "stopped before the end"
    if progress.waiting:
        return "some are to be tried again"
    return "done"


def videos(count: int) -> str:
    """Return a number of videos."""
    return "1 video" if count == 1 else f"{count:,} videos"
