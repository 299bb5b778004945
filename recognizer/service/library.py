"""Everything that was analyzed: lists of runs with what they take on the disk, and what can be done with them."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recognizer.errors import RecognizerError, StoreError
from recognizer.limits import limits
from recognizer.service.fairness import NOBODY, Place
from recognizer.service.room import UploadLedger
from recognizer.service.run_facts import facts_of, facts_of_comparison, facts_of_request
from recognizer.service.runs import REMARK, UPLOADED, Kind, Run, RunQuery
from recognizer.service.uploads import Uploads
from recognizer.service.video_files import VideoFiles

if TYPE_CHECKING:
    from recognizer.service.store import StoredFile
    from recognizer.service.tasks import ServerContext

_log = logging.getLogger(__name__)

KEPT_FOR: Final = timedelta(days=7)
"""How long a deleted run can be brought back, unless its room is needed before."""

_PURGE_EVERY_S: Final = 3600.0

_LONG_AGO_S: Final = 0.0
"""The files of deleted runs count as used then: they make room first."""


@dataclass(frozen=True)
class Item:
    """One run, as a list shows it.

    Attributes:
        run: the run.
        facts: what is known of its result, or of its settings before there is one.
        size_bytes: what its video takes on the disk, with everything made from it.
        has_video: whether its video is still on the disk.
        has_picture: whether there is a picture of its video.
        video_runs: how many runs use this video, itself included.
        place: its place in the line; None if it does not wait.
        status: what it does now, in words; empty if it does not run here.
    """

    run: Run
    facts: dict[str, Any]
    size_bytes: int
    has_video: bool
    has_picture: bool
    video_runs: int
    place: Place | None = None
    status: str = ""


@dataclass(frozen=True)
class Listing:
    """Runs, and what they take.

    Attributes:
        items: the runs.
        size_bytes: what their videos take together; shared ones count once.
        free_bytes: what is free on the disk.
    """

    items: list[Item]
    size_bytes: int
    free_bytes: int


class Library:
    """Lists runs and changes them. Safe to call from any thread; every method may raise ``StoreError``.

    Attributes:
        runs: the stored runs.
    """

    def __init__(self, context: ServerContext) -> None:
        self.runs = context.runs
        self._context = context
        self._folder = context.store.file_path("")
        self._ledger = UploadLedger(context.store.database)
        self._uploads = Uploads(context.runs, self._ledger, self._folder)
        self._background = threading.Lock()
        self._purged_at_s = -_PURGE_EVERY_S

    def listing(self, query: RunQuery) -> Listing:
        """Return the runs that a query describes, and the uploads that no run uses."""
        self._tidy()
        files, uses = VideoFiles(self._folder), self.runs.video_uses()
        found = self._uploads.without_used(self.runs.list(replace(query, uploads=True)), files)
        items = [self._item(run, files, uses) for run in found]
        return Listing(items, files.size_bytes({run.video_file for run in found}), _free_bytes(self._folder))

    def _item(self, run: Run, files: VideoFiles, uses: Mapping[str, int]) -> Item:
        job = self._context.jobs.get(run.run_id) if not run.is_finished else None
        place = self._context.jobs.waiting_before(job) if job is not None and not job.started else None
        status = getattr(job.progress, "text", "") if job is not None else ""
        facts = dict(run.facts) or facts_of_request(run.request)
        if job is not None and job.remark:
            facts[REMARK] = job.remark
        return Item(
            run,
            facts,
            files.size_bytes([run.video_file]),
            files.is_here(run.video_file),
            run.kind != "file" and files.has_picture(run.video_file),
            uses.get(run.video_file, 0),
            place,
            status,
        )

    def uploaded(self, file: StoredFile, visitor_id: str, kind: Kind, duration_s: float | None = None) -> None:
        """List an upload until a run uses it, so that its room can be found and freed.

        Nothing else depends on it: a fault is only logged, and ``listing`` finds the upload later.
        """
        try:
            self._uploads.add(file, visitor_id, kind, duration_s)
        except StoreError as error:
            _log.warning("an upload is not listed: %s", error)

    def opened(self, run_id: str, video_file: str) -> None:
        """Note that somebody looks at a run, so that its video is not the first to make room.

        Nothing depends on it: a fault is only logged.
        """
        VideoFiles(self._folder).use(video_file)
        try:
            self.runs.opened(run_id)
        except StoreError as error:
            _log.warning("it could not be noted that a run was opened: %s", error)

    def cancel(self, run_id: str) -> None:
        """Stop a run; what it has done so far is its result.

        Raises:
            StoreError: it is a camera's session, which only its own page can end.
        """
        job = self._context.jobs.get(run_id)
        if job is not None and not job.finished:
            waits = not job.started
            job.cancel()
            if not waits:
                return  # it saves what it has, and then ends its run
        run = self.runs.load(run_id)
        if run is None or run.is_finished:
            return
        if run.kind == "live":  # no job: without its save points, the camera would go on unsaved
            raise StoreError(f"the camera of '{run.name}' is running; stop it on its own page first.")
        self.runs.end(run_id, "cancelled")

    def remove(self, run: Run) -> None:
        """Delete a run, which ``restore`` takes back until it is purged.

        Raises:
            StoreError: it is a camera's session that has not ended.
        """
        if not run.is_finished:
            self.cancel(run.run_id)
        self.runs.remove(run.run_id)
        if run.kind not in UPLOADED:
            self._uploads.forget_with(run)
        if run.video_file not in self.runs.video_uses(uploads=True):
            VideoFiles(self._folder).use(run.video_file, _LONG_AGO_S)

    def restore(self, run: Run) -> None:
        """Bring a deleted run back."""
        self.runs.restore(run.run_id)
        VideoFiles(self._folder).use(run.video_file)

    def purge(self, before: datetime, visitor_id: str | None = None) -> None:
        """Forget the runs that were deleted before a time, and remove their videos unless somebody still has them.

        Args:
            before: the time.
            visitor_id: whose runs; None for everybody's.
        """
        gone = [run for run in self.runs.purge(before, visitor_id) if run.video_file]
        back = {run.video_file for run in gone if self._is_back(run)}
        names: dict[str, set[str]] = defaultdict(set)
        for run in gone:
            names[run.visitor_id].add(run.video_file)
        for owner, of_owner in names.items():
            self._context.store.let_go(of_owner, owner, keep=back)

    def _is_back(self, run: Run) -> bool:
        """Return whether the video of a deleted run was uploaded once more since, perhaps to run next."""
        if run.kind == "live" or run.removed_at is None:  # a recording may grow after its run is deleted
            return False
        try:
            return (self._folder / run.video_file).stat().st_mtime > run.removed_at.timestamp()
        except OSError:
            return False

    def make_room(self, visitor_id: str = NOBODY, wanted_bytes: int = 0) -> None:
        """Forget deleted runs at once if their room is needed; call this before something is refused for it.

        Args:
            visitor_id: who wants room; nobody for work that takes none of a visitor's share.
            wanted_bytes: how much.
        """
        self._tidy()
        try:
            if self._is_short():
                self.purge(datetime.now(UTC))
            elif self._ledger.would_exceed(visitor_id, self._folder, wanted_bytes):
                self.purge(datetime.now(UTC), visitor_id)
        except StoreError as error:
            _log.warning("deleted runs could not make room: %s", error)

    def _is_short(self) -> bool:
        return _free_bytes(self._folder) < limits().min_free_bytes

    def _tidy(self) -> None:
        """Purge, and find the facts of runs without any, in the background and now and then."""
        if time.monotonic() - self._purged_at_s < _PURGE_EVERY_S or not self._background.acquire(blocking=False):
            return
        self._purged_at_s = time.monotonic()
        threading.Thread(target=self._tidy_now, name="library", daemon=True).start()

    def _tidy_now(self) -> None:
        try:
            self.purge(datetime.now(UTC) - (timedelta(0) if self._is_short() else KEPT_FOR))
            self._uploads.list_old()
            for run in self.runs.list(RunQuery(states=["done", "cancelled"], kinds=["analysis", "comparison", "live"])):
                if not run.facts and (facts := _facts_in(self._context, run)):
                    self.runs.set_facts(run.run_id, facts)
        except StoreError as error:
            _log.warning("the library could not be tidied: %s", error)
        finally:
            self._background.release()


def _facts_in(context: ServerContext, run: Run) -> dict[str, Any]:
    """Return the facts of a run from before they were stored with it; none if its result is gone or damaged."""
    try:
        if run.kind == "comparison":
            comparison = context.comparisons.load(run.result_id)
            return {} if comparison is None else facts_of_comparison(comparison.comparison)
        analysis = context.store.load_analysis(run.result_id)
        return {} if analysis is None else facts_of(analysis.timeline)
    except RecognizerError as error:  # it is damaged; opening it says so
        _log.warning("the facts of a run cannot be found: %s", error)
        return {}


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:  # the folder is gone; the next upload makes it again
        return 0
