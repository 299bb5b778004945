"""The work of ``compare``: one pass over the video, each classifier in turn, then their agreement."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from recognizer.annotations.model import Answers, LabelFile
from recognizer.cli.changes import Changes, read_changes
from recognizer.cli.outputs import Outputs, plan_outputs, write_text
from recognizer.cli.own_actions import OwnActions, read_actions
from recognizer.cli.own_labels import read_own_labels
from recognizer.cli.save_points import CommandSavePoints, ResumeRemark, save_points
from recognizer.cli.terminal import complain, fetching, print_table, remark, table, working
from recognizer.errors import RecognizerError, one_line
from recognizer.settings import Settings
from recognizer.video import VideoSource, display_name, open_video
from recognizer.video.reading import as_notes

if TYPE_CHECKING:
    import pandas as pd

    from recognizer.actions.provenance import Mode
    from recognizer.analysis.compare import CompareProgress
    from recognizer.comparison.model import Comparison, Entry, Lane
    from recognizer.comparison.scoring import Scored
    from recognizer.networks.loading import Models

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """The options, checked as far as possible without the files.

    Attributes:
        video: the file, or the parts of a recording.
        settings: one for each classifier.
        truth: the path of the user's own labels, as typed; None if there are none.
        answers: what the options say about the labels.
        csv, json, report: the paths of the results, as typed; None for each that is not wanted.
        corrections, groups: the files with a person's corrections and with label groups; None if there are none.
        actions: the file with a set of own actions; None for the networks' labels.
        actions_mode: how their names are shown.
        min_confidence: minimum confidence of the segments.
        min_duration_s: minimum duration of the segments.
        fresh: begin at the start, whatever an earlier run saved.
        quiet: show no progress and no summary.
    """

    video: VideoSource
    settings: tuple[Settings, ...]
    truth: str | None
    answers: Answers
    csv: str | None
    json: str | None
    report: str | None
    corrections: str | None
    groups: str | None
    actions: str | None
    actions_mode: Mode
    min_confidence: float
    min_duration_s: float
    fresh: bool
    quiet: bool


def run_comparison(request: Request, stdout: IO[str]) -> int:
    """Compare and return 0, or 2 if a classifier could not run.

    Raises:
        ActionsError: the own actions cannot be read.
        SettingsError: the results have no valid place, or the settings cannot be compared.
        VideoError: the video cannot be read.
        TruthError: the user's own labels cannot be read or do not fit.
        CorrectionsError: the corrections or groups cannot be read, or do not fit the video.
        OutputError: a result cannot be written.
    """
    from recognizer.comparison.model import check_comparable

    paths = [str(path) for path in request.video.paths]
    (outputs,) = plan_outputs(paths[:1], csv=request.csv, json=request.json, report=request.report, also_read=paths)
    check_comparable(request.settings)
    labels = None if request.truth is None else read_own_labels(request.truth, request.video.name, request.answers)
    changes, sha256 = _changes(request)
    own = read_actions(request.actions, request.actions_mode)
    if own is not None:
        own.check_networks(request.settings)
    with save_points(sha256, request.settings, fresh=request.fresh) as kept:
        comparison = changes.applied_to_all(_named(_compare(request, kept), own))
        code = _report(comparison, changes, labels, outputs, request, stdout)
        if kept is not None and code == 0:
            kept.remove()
    return code


def _report(
    comparison: Comparison,
    changes: Changes,
    labels: LabelFile | None,
    outputs: Outputs,
    request: Request,
    stdout: IO[str],
) -> int:
    """Write or print a comparison; return 0, or 2 if a classifier could not run."""
    for entry in comparison.entries:
        if entry.problem is not None:
            complain(f"{entry.name} did not run: {entry.problem}")
    lanes = comparison.lanes(request.min_confidence, request.min_duration_s)
    if not lanes:
        return 2
    scored = None
    if labels is not None:
        from recognizer.annotations.fitting import LabelledVideo, fit_labels
        from recognizer.comparison.scoring import score_lanes

        video = LabelledVideo.of(lanes[0].timeline, request.video.name)
        scored = score_lanes(lanes, changes.truth_of(fit_labels(labels, video, request.answers)))
    _write(comparison, lanes, scored, outputs, request, stdout)
    if not outputs.any:
        _print(comparison, lanes, scored, request, stdout)
    if not request.quiet:
        timeline = lanes[0].timeline
        for note in (*as_notes(timeline.reading), *timeline.notes, *(scored.notes if scored is not None else ())):
            remark(f"{display_name(request.video.name)}: {note}")
        if outputs.files:
            remark(f"Wrote {', '.join(outputs.files)}.")
    return 0 if len(lanes) == len(comparison.entries) else 2


def _named(comparison: Comparison, own: OwnActions | None) -> Comparison:
    """Return the comparison with own names; classifiers that the set does not fit keep their labels, with a remark."""
    if own is None:
        return comparison
    comparison, problems = own.applied_to_all(comparison)
    for problem in problems:
        complain(problem)
    return comparison


def _changes(request: Request) -> tuple[Changes, str | None]:
    """Read what is laid over the results, and the hash of the video; a bad file is reported before networks are
    loaded."""
    with open_video(request.video) as reader:
        sha256 = reader.info.sha256
    return read_changes(request.corrections, request.groups, request.video.name, sha256).about_people(), sha256


def _compare(request: Request, kept: CommandSavePoints | None) -> Comparison:
    from recognizer.analysis.compare import compare
    from recognizer.analysis.passes import PassStore
    from recognizer.networks import loading
    from recognizer.networks.cache import ModelCache

    networks = ModelCache(max_classifiers=1)  # each classifier is used once, and its memory is measured
    shown = display_name(request.video.name)

    def load(settings: Settings) -> Models:
        with fetching(loading.loading_message(settings), quiet=request.quiet) as progress:
            return networks.get(settings, progress)

    goes_on, known = ResumeRemark(), _finished(kept)
    with working(f"comparing on {shown}", request.quiet) as show:

        def report(progress: CompareProgress) -> None:
            analysis = progress.analysis
            if analysis is not None:  # one bar for all classifiers
                if (text := goes_on.look(analysis)) is not None and not request.quiet:
                    remark(f"{shown}: {text}")
                show(progress.share, 1.0, analysis.frames_per_s, None)

        def keep(comparison: Comparison) -> None:
            from recognizer.service.entry_bytes import entries_to_bytes

            if kept is not None:
                kept.save_entries(entries_to_bytes(comparison.finished))

        return compare(
            request.video,
            request.settings,
            load=load,
            known=known,
            pass_store=None if kept is None else PassStore(kept.crops),
            progress=report,
            entry_done=keep,
            save_points=kept,
        )


def _finished(kept: CommandSavePoints | None) -> tuple[Entry, ...]:
    """Return the entries that an earlier run finished."""
    content = None if kept is None else kept.entries
    if content is None:
        return ()
    from recognizer.service.entry_bytes import entries_from_bytes

    try:
        return entries_from_bytes(content)
    except (RecognizerError, ValueError, KeyError, TypeError) as error:
        _log.warning("what an earlier run compared cannot be read, so it is compared again: %s", error)
        return ()


def _write(
    comparison: Comparison,
    lanes: tuple[Lane, ...],
    scored: Scored | None,
    outputs: Outputs,
    request: Request,
    stdout: IO[str],
) -> None:
    from recognizer.export import comparison_csv, comparison_json

    thresholds: dict[str, Any] = {"min_confidence": request.min_confidence, "min_duration_s": request.min_duration_s}
    if outputs.csv is not None:
        write_text(outputs.csv, comparison_csv(lanes), stdout)
    if outputs.json is not None:
        scores = scored.scores if scored is not None else ()
        write_text(outputs.json, comparison_json(comparison, **thresholds, scores=scores), stdout)
    if outputs.report is not None:
        from recognizer.export.report import comparison_report
        from recognizer.palette import ActionPalette

        name = request.video.name
        report = comparison_report(comparison, name, ActionPalette(), **thresholds, scored=scored)
        write_text(outputs.report, report, stdout)


def _print(
    comparison: Comparison, lanes: tuple[Lane, ...], scored: Scored | None, request: Request, stdout: IO[str]
) -> None:
    from recognizer.export import agreement_table, apart_table, bouts_table, classes_table, cost_table, scores_table

    shown = display_name(request.video.name)
    if not comparison.people:
        stdout.write(one_line(f"{shown}: nobody was found.") + "\n")
    # one table per pair and one column per classifier: nothing is cut on a terminal of 80 columns
    agreement = agreement_table(lanes, [track.person_id for track in comparison.people])
    for names, of_pair in agreement.groupby("Classifiers", sort=False):
        _print_frame(f"{shown}: {names}", of_pair.drop(columns="Classifiers"), stdout)
    if scored is not None:
        _print_frame("Against your labels", scores_table(scored.scores), stdout)
        for name, score in scored.scores:
            _print_frame(f"{name}, action by action", classes_table(score), stdout)
            _print_frame(f"{name}, bouts", bouts_table(score), stdout)
            _print_frame(f"{name}, actions that happen during others", apart_table(score), stdout)
    costs = cost_table(comparison).astype(object).set_index("Classifier").T
    _print_frame("Cost of each classifier", costs.rename_axis("", axis="index").reset_index(), stdout)


def _print_frame(title: str, frame: pd.DataFrame, stdout: IO[str]) -> None:
    if frame.empty:
        return
    import pandas as pd

    columns = {str(name): pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns}
    printed = table(columns)
    for row in frame.itertuples(index=False):
        printed.add_row(*("–" if pd.isna(cell) else one_line(str(cell)) for cell in row))
    print_table(title, printed, stdout)
