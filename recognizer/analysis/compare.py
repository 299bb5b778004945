"""Run a comparison: one pass of decoding, detection and tracking, then each classifier over its crops."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from recognizer import __version__
from recognizer.analysis.cost import PeakMemory, TimedClassifier, cost_of
from recognizer.analysis.file import Progress, analyze, find_people
from recognizer.analysis.passes import PassStore
from recognizer.analysis.save_points import SavePoints
from recognizer.comparison.model import CANCELLED, Comparison, Entry, check_comparable, named
from recognizer.errors import CheckpointError, SettingsError, WeightsError
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.timeline.model import Timeline
from recognizer.video import VideoInput, open_video


@dataclass(frozen=True)
class CompareProgress:
    """The progress of a comparison.

    Attributes:
        entry: name of the entry that is running; None while people are detected, once for all entries.
        number: position of that entry among those to run, from 1.
        count: number of entries to run.
        analysis: progress of the entry's analysis or of the detection; None while networks are loaded.
        share: completed share of the whole comparison, 0 to 1, counted in steps.
    """

    entry: str | None
    number: int
    count: int
    analysis: Progress | None
    share: float


def compare(
    path: VideoInput,
    settings: Sequence[Settings],
    *,
    load: Callable[[Settings], Models],
    known: Sequence[Entry] = (),
    checkpoint_names: Sequence[str | None] = (),
    pass_store: PassStore | None = None,
    progress: Callable[[CompareProgress], None] | None = None,
    entry_done: Callable[[Comparison], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    max_file_bytes: int | None = None,
    sha256: str | None = None,
    name: str | None = None,
    save_points: SavePoints | None = None,
) -> Comparison:
    """Run several classifiers over one video; people are detected and tracked once.

    Args:
        path: the file, or a source with parts or choices.
        settings: one for each classifier; the settings that decide who is found must be the same in all.
        load: returns the networks for given settings; downloads them if needed.
        known: entries of an earlier comparison of this video; those with the same settings, by this version of the
            program, do not run again.
        checkpoint_names: display name of each checkpoint, if it differs from its path's own name.
        pass_store: where to store the pass; a temporary folder if None.
        progress: called often, on this thread.
        entry_done: called after each entry, with the comparison so far.
        cancel: called often; True ends the comparison. Finished entries are kept.
        max_file_bytes: larger files are refused.
        sha256: hash of the file's bytes, if already known.
        name: name of the file in messages; None for its file name.
        save_points: where to keep what is done of the running entry; see ``analyze``.

    Returns:
        One entry for each of ``settings``, in their order. If the weights of an entry are unavailable, its
        ``problem`` says so, and the others still run.

    Raises:
        SettingsError: the settings cannot be compared.
        VideoError: the file cannot be read as a video.
    """
    check_comparable(settings)
    ran = [entry for entry in known if entry.timeline is not None and _is_of_this_version(entry.timeline)]
    requested = [
        Entry(name="", settings=one, checkpoint_name=checkpoint_name)
        for one, checkpoint_name in zip(settings, checkpoint_names or [None] * len(settings), strict=True)
    ]
    entries = named([next((e for e in ran if e.settings == one.settings), one) for one in requested])
    if all(entry.timeline is not None for entry in entries):
        return Comparison(entries)
    with ExitStack() as stack:
        if pass_store is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comparison-", ignore_cleanup_errors=True))
            pass_store = PassStore(Path(folder))
        with open_video(path, max_file_bytes=max_file_bytes, sha256=sha256, name=name) as reader:
            file = _File(path, max_file_bytes, reader.info.sha256, name, save_points)
        run = _ComparisonRun(file, entries, load, pass_store.remembering(), progress, cancel or (lambda: False))
        return run.run(entry_done)


def _is_of_this_version(timeline: Timeline) -> bool:
    """Return whether another run would give the same; other versions may see, follow and label people otherwise."""
    return timeline.provenance.get("recognizer") == __version__


@dataclass(frozen=True)
class _File:
    """The arguments of ``analyze`` that concern the file."""

    path: VideoInput
    max_file_bytes: int | None
    sha256: str | None
    name: str | None
    save_points: SavePoints | None


class _ComparisonRun:
    """Runs the entries that have no timeline yet, one after the other.

    People are detected in a separate step before the first classifier, because the detector is slower when interleaved
    with a classifier than alone.
    """

    def __init__(
        self,
        file: _File,
        entries: Sequence[Entry],
        load: Callable[[Settings], Models],
        pass_store: PassStore,
        progress: Callable[[CompareProgress], None] | None,
        cancel: Callable[[], bool],
    ) -> None:
        self._file = file
        self._entries = list(entries)
        self._to_run = [k for k, entry in enumerate(entries) if entry.timeline is None]
        self._load = load
        self._pass_store = pass_store
        self._progress = progress
        self._cancel = cancel
        self._number = 0
        self._people_are_found = False

    def run(self, entry_done: Callable[[Comparison], None] | None) -> Comparison:
        """Run the entries; after a cancel, the rest get a problem instead of a timeline."""
        for number, k in enumerate(self._to_run, 1):
            self._number = number
            if self._cancel():
                self._entries[k] = replace(self._entries[k], problem=CANCELLED)
                continue
            self._entries[k] = self._finished(self._entries[k])
            if entry_done is not None:
                entry_done(Comparison(tuple(self._entries)))
        return Comparison(tuple(self._entries))

    def _finished(self, entry: Entry) -> Entry:
        """Return the entry with its timeline, or with the problem that prevented one."""
        self._report(entry.name, None)
        try:
            models = self._load(entry.settings)
        except (WeightsError, CheckpointError, SettingsError) as error:
            return replace(entry, problem=_with_checkpoint_name(str(error), entry))
        if not self._people_are_found:
            self._people_are_found = self._find_people(entry.settings, models)
        if not self._people_are_found:
            return replace(entry, problem=CANCELLED)
        return self._labelled(entry, models)

    def _find_people(self, settings: Settings, models: Models) -> bool:
        return find_people(
            self._file.path,
            settings,
            models=models,
            pass_store=self._pass_store,
            progress=lambda analysis: self._report(None, analysis),
            cancel=self._cancel,
            max_file_bytes=self._file.max_file_bytes,
            sha256=self._file.sha256,
            name=self._file.name,
            save_points=self._file.save_points,
        )

    def _labelled(self, entry: Entry, models: Models) -> Entry:
        """Return the entry with its timeline and cost, or with a note that it was cancelled."""
        classifier = TimedClassifier(models.classifier)
        with PeakMemory() as memory:
            timeline = analyze(
                self._file.path,
                entry.settings,
                models=replace(models, classifier=classifier),
                pass_store=self._pass_store,
                progress=lambda analysis: self._report(entry.name, analysis),
                cancel=self._cancel,
                max_file_bytes=self._file.max_file_bytes,
                sha256=self._file.sha256,
                name=self._file.name,
                save_points=self._file.save_points,
            )
        if not timeline.complete:
            return replace(entry, problem=CANCELLED)
        cost = cost_of(timeline, classifier, memory)
        return replace(entry, labels=models.classifier.labels, timeline=timeline, cost=cost)

    def _report(self, entry_name: str | None, analysis: Progress | None) -> None:
        if self._progress is None:
            return
        count = len(self._to_run)
        steps_done = self._number if self._people_are_found else self._number - 1
        part = min(1.0, analysis.analysed_s / analysis.duration_s) if analysis and analysis.duration_s else 0.0
        share = (steps_done + part) / (count + 1)
        self._progress(CompareProgress(entry_name, self._number, count, analysis, share))


def _with_checkpoint_name(problem: str, entry: Entry) -> str:
    """Replace the path of an uploaded checkpoint, which is a hash, by the name that the user knows."""
    path = entry.settings.checkpoint_path
    return problem if path is None or entry.checkpoint_name is None else problem.replace(path, entry.checkpoint_name)
