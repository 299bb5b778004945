"""Uploads that no run uses yet: a row among the runs for each, so that they find and free its room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from recognizer.service.fairness import NOBODY
from recognizer.service.room import UploadLedger
from recognizer.service.runs import UPLOADED, Kind, Run, RunQuery, RunStore, new_run_id
from recognizer.service.store import StoredFile
from recognizer.service.video_files import VideoFiles

_BEING_USED_S = 3600.0
"""A younger upload without a row may get one with its name in a moment."""


class Uploads:
    """The rows of uploads. Every method may raise ``StoreError``.

    Args:
        runs: where the rows are.
        ledger: who uploaded which file.
        folder: the folder of files.
    """

    def __init__(self, runs: RunStore, ledger: UploadLedger, folder: Path) -> None:
        self._runs = runs
        self._ledger = ledger
        self._folder = folder

    def add(self, file: StoredFile, visitor_id: str, kind: Kind, duration_s: float | None = None) -> None:
        """List an upload, unless it is listed already; one that was deleted comes back."""
        if visitor_id == NOBODY:
            return
        files = VideoFiles(self._folder)
        if self._rows_of(file.path.name, visitor_id, files, removed=False):
            return
        for row in self._rows_of(file.path.name, visitor_id, files, removed=True):
            self._runs.restore(row.run_id)
            return
        facts = {} if duration_s is None else {"duration_s": round(duration_s, 3)}
        self._runs.create(
            Run(
                new_run_id(),
                kind,
                file.name,
                video_file=file.path.name,
                video_sha256=file.sha256,
                state="done",
                visitor_id=visitor_id,
                request={"size_bytes": file.size_bytes},
                progress=1.0,
                facts=facts,
            )
        )

    def without_used(self, found: Sequence[Run], files: VideoFiles) -> list[Run]:
        """Return the runs in a list, and the uploads that are stored and that none of these runs of a visitor uses."""
        if not any(one.kind in UPLOADED for one in found):
            return list(found)
        used = {
            (one.visitor_id, stem) for one in found if one.kind not in UPLOADED for stem in files.stems(one.video_file)
        }
        return [
            one
            for one in found
            if one.kind not in UPLOADED
            or (
                files.is_here(one.video_file)
                and not any((one.visitor_id, stem) in used for stem in files.stems(one.video_file))
            )
        ]

    def forget_with(self, run: Run) -> None:
        """Forget the row of a deleted run's video, which goes with it, unless another run of the visitor uses it."""
        files = VideoFiles(self._folder)
        stems = files.stems(run.video_file)
        others = self._runs.list(RunQuery(visitor_ids=[run.visitor_id]))
        if any(files.stems(one.video_file) & stems for one in others):
            return
        for row in self._rows_of(run.video_file, run.visitor_id, files, removed=False):
            self._runs.forget(row)

    def list_old(self) -> None:
        """List what was uploaded before uploads had rows, under the time of its upload."""
        from recognizer.video import VIDEO_SUFFIXES

        files = VideoFiles(self._folder)
        listed = {
            (one.visitor_id, stem)
            for removed in (False, True)
            for one in self._runs.list(RunQuery(removed=removed, uploads=True))
            for stem in files.stems(one.video_file)
        }
        now_s = datetime.now(UTC).timestamp()
        for visitor_id, name, size_bytes in self._ledger.all():
            path = self._folder / name
            if not files.is_here(name) or any((visitor_id, stem) in listed for stem in files.stems(name)):
                continue
            uploaded_s = path.stat().st_mtime
            if now_s - uploaded_s < _BEING_USED_S:
                continue
            shown = f"Upload of {datetime.fromtimestamp(uploaded_s).astimezone():%Y-%m-%d %H.%M}{path.suffix}"
            kind: Kind = "video" if path.suffix.removeprefix(".") in VIDEO_SUFFIXES else "file"
            self.add(StoredFile(path, shown, path.stem, size_bytes), visitor_id, kind)

    def _rows_of(self, name: str, visitor_id: str, files: VideoFiles, *, removed: bool) -> list[Run]:
        """Return the rows of a visitor that share a file with a stored video."""
        stems = files.stems(name)
        rows = self._runs.list(RunQuery(visitor_ids=[visitor_id], kinds=UPLOADED, removed=removed))
        return [one for one in rows if files.stems(one.video_file) & stems]
