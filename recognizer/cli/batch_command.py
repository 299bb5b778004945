"""The work of ``batch``: from its options to its sentences."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import psutil

from recognizer.batch.driver import Request, Summary, run_batch
from recognizer.batch.exports import Exports
from recognizer.batch.gpus import gpus
from recognizer.batch.local import Bounds, Executor, LocalExecutor, starts_workers
from recognizer.batch.places import folder_for
from recognizer.batch.recipe import OTHERS, Recipe, read_recipe
from recognizer.batch.results import BatchFolder
from recognizer.batch.sizing import size_of
from recognizer.cli.batch_progress import batch_progress
from recognizer.cli.own_actions import read_actions
from recognizer.cli.signals import Interrupted
from recognizer.cli.terminal import fetching, remark
from recognizer.files import BYTES_PER_MB
from recognizer.settings import SETTING_SPECS, Settings


def run_command(options: argparse.Namespace) -> int:
    """Run the batch and return the exit code.

    Raises:
        RecognizerError: a problem stops all of it.
    """
    most_bytes = _bytes(options.max_file_mb)
    recipe = recipe_of(options)
    request = Request(
        sources=tuple(options.sources),
        out=folder_for(options.sources) if options.out is None else Path(options.out),
        recipe=recipe,
        usable_classifier=lambda: _usable_classifier(options.quiet),
        max_file_bytes=most_bytes,
        retry=options.retry,
        exports=_exports(options, recipe),
    )
    with batch_progress(plain=options.plain, quiet=options.quiet) as progress:
        try:
            summary = run_batch(request, _Machine(options, recipe.settings_at(None).device).executor, progress.watch)
        except Interrupted:
            progress.say(f"stopped; run the same command to go on: {progress.text}.")
            raise
    if not options.quiet:
        _say(summary, request)
    return 0 if summary.is_complete else 2


def recipe_of(options: argparse.Namespace) -> Recipe:
    """Return how videos are analyzed: the options, then the file of settings.

    Raises:
        SettingsError: the file does not fit.
    """
    recipe = Recipe() if options.settings is None else read_recipe(Path(options.settings), Recipe())
    given = {name: getattr(options, name) for name in (*SETTING_SPECS, *OTHERS)}
    return recipe.with_values({name: value for name, value in given.items() if value is not None}, "the command line")


def _exports(options: argparse.Namespace, recipe: Recipe) -> Exports | None:
    """Return what is made of each finished video.

    Raises:
        SettingsError: a format does not exist.
        ActionsError: the own actions cannot be read, or do not fit the settings.
    """
    from recognizer.export.formats import format_of

    endings = tuple(dict.fromkeys(format_of(f"x.{given.removeprefix('.')}").ending for given in options.export))
    own = read_actions(options.actions, options.actions_mode)
    if own is None:
        return Exports(endings) if endings else None
    settings = recipe.settings_at(None)
    own.check_features(settings)
    if recipe.names_a_classifier:
        own.check_networks([settings])
    digest = f"{own.actions.sha256} {own.mode}"
    return Exports(endings or (".csv",), own.applied_to, digest)


@dataclass(frozen=True)
class _Machine:
    """This machine, as the options want it used.

    Attributes:
        options: of the command.
        device: where the networks run.
    """

    options: argparse.Namespace
    device: str

    def executor(self, folder: BatchFolder, waiting: int) -> Executor:
        if self.options.ray is not None:
            return self._on_ray(folder, waiting)
        found = () if self.device in ("cpu", "mps") else gpus()
        size = size_of(self.options.workers, waiting, found)
        if not self.options.quiet:
            remark(f"{_count(size.workers, 'worker')} with {_count(size.threads, 'thread')} each.")
        most_bytes = _bytes(self.options.max_memory_mb) or psutil.virtual_memory().available // size.workers
        bounds = Bounds(most_s=self.options.max_seconds, most_bytes=most_bytes)
        return LocalExecutor(size.workers, starts_workers(folder, size.threads, gpus=found), bounds)

    def _on_ray(self, folder: BatchFolder, waiting: int) -> Executor:
        from recognizer.batch.cluster import RayExecutor

        most = waiting if self.options.workers == "auto" else size_of(self.options.workers, waiting).workers
        bounds = Bounds(most_s=self.options.max_seconds, most_bytes=_bytes(self.options.max_memory_mb))
        return RayExecutor(self.options.ray, folder, most, bounds)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _bytes(megabytes: float | None) -> int | None:
    return None if megabytes is None else round(megabytes * BYTES_PER_MB)


def _usable_classifier(quiet: bool) -> str:
    from recognizer.networks.fallback import usable_classifier

    with fetching("looking for the classifier", quiet=quiet) as progress:
        usable = usable_classifier(Settings.video_classifier_model, progress)
    if usable.note:
        remark(usable.note)
    return usable.name


def _say(summary: Summary, request: Request) -> None:
    tally = summary.tally
    failed_before = tally.failed - tally.failed_now
    if failed_before:
        remark(f"left alone: {_count(failed_before, 'video')} of earlier failures; --retry tries again.")
    if tally.postponed:
        remark("run the same command to try the others again.")
    remark(f"{tally.text}. Results are in '{request.out}'.")
