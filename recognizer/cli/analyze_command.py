"""The work of ``analyze``: each video in turn, with networks that are loaded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from recognizer.cli.changes import Changes, check_place, read_changes
from recognizer.cli.outputs import Outputs, plan_outputs, write_bytes, write_text
from recognizer.cli.own_actions import OwnActions, read_actions
from recognizer.cli.save_points import CommandSavePoints, ResumeRemark, save_points
from recognizer.cli.terminal import (
    complain,
    fetching,
    print_table,
    remark,
    table,
    working,
)
from recognizer.errors import ActionsError, CorrectionsError, LimitError, OutputError, VideoError, one_line
from recognizer.files import BYTES_PER_MB
from recognizer.memory import without_collections
from recognizer.settings import Settings

# quick to import; the networks' libraries are not, and are imported only once a video is readable
from recognizer.video import VideoSource, display_name, in_order, open_video
from recognizer.video.reading import as_notes

if TYPE_CHECKING:
    from recognizer.actions.provenance import Mode
    from recognizer.networks.loading import Models
    from recognizer.timeline.corrections import Corrected
    from recognizer.timeline.groups import LabelGroups
    from recognizer.timeline.model import Timeline
    from recognizer.types import Segment, VideoInfo


@dataclass(frozen=True)
class Request:
    """The options, checked as far as possible without the files.

    Attributes:
        videos: the files.
        join: whether the files are one recording.
        stream: number of the video stream to read; None for the one that a player shows.
        frame_rate_hz: frames per second of raw streams that state none; None to assume one.
        csv, json, video: the paths of the results, as typed; None for each that is not wanted.
        exports: the paths of results in formats that their endings name, as typed.
        corrections, groups: the files with a person's corrections and with label groups; None if there are none.
        actions: the file with a set of own actions; None for the network's labels.
        actions_mode: how their names are shown.
        settings_at: returns the settings for a frame rate; keyword arguments override single settings.
        classifier_is_named: whether the options name a classifier; if not, an unavailable default may be replaced.
        min_confidence: minimum confidence of the segments.
        min_duration_s: minimum duration of the segments.
        max_file_mb: larger files are refused.
        fresh: begin at the start, whatever an earlier run saved.
        quiet: show no progress and no summary.
    """

    videos: tuple[str, ...]
    join: bool
    stream: int | None
    frame_rate_hz: float | None
    csv: str | None
    json: str | None
    video: str | None
    exports: tuple[str, ...]
    corrections: str | None
    groups: str | None
    actions: str | None
    actions_mode: Mode
    settings_at: Callable[..., Settings]
    classifier_is_named: bool
    min_confidence: float
    min_duration_s: float
    max_file_mb: float | None
    fresh: bool
    quiet: bool


def run_all(request: Request, stdout: IO[str]) -> int:
    """Analyse every video, even after one fails, and return 0, or 2 if any failed.

    Raises:
        ActionsError: the own actions cannot be read, or do not fit the classifier.
        SettingsError: the results have no valid place.
        WeightsError: the networks are unavailable.
        CheckpointError: the user's own checkpoint does not fit.
        VideoError: the files are not parts of one recording.
    """
    sources = _sources(request)
    check_place(request.corrections, len(sources))
    plans = plan_outputs(
        [str(source.paths[0]) for source in sources],
        csv=request.csv,
        json=request.json,
        video=request.video,
        exports=request.exports,
        also_read=request.videos,
    )
    own = read_actions(request.actions, request.actions_mode)
    if own is not None and request.classifier_is_named:
        own.check_networks([request.settings_at()])
    networks = _Networks(request)
    code = 0
    for source, outputs in zip(sources, plans, strict=True):
        try:
            _run_one(source, outputs, request, networks, own, stdout)
        except (ActionsError, VideoError, LimitError, OutputError, CorrectionsError) as error:
            complain(str(error))
            code = 2
    return code


def _sources(request: Request) -> list[VideoSource]:
    """Return what to read: each file, or all files as one recording."""
    paths = [Path(path) for path in request.videos]
    groups = [tuple(paths[k] for k in in_order([path.name for path in paths]))] if request.join else zip(paths)
    return [VideoSource(group, stream=request.stream, frame_rate_hz=request.frame_rate_hz) for group in groups]


class _Networks:
    """The networks and the name of the classifier; loaded on first use."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._loaded: tuple[Models, str] | None = None

    def get(self) -> tuple[Models, str]:
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def _load(self) -> tuple[Models, str]:
        with fetching("loading the networks", quiet=self._request.quiet) as progress:
            with without_collections():  # which would take a sixth of the time: the libraries make many objects
                from recognizer.analysis import file  # noqa: F401 - imported here, because it loads the same libraries
                from recognizer.networks import loading
            from recognizer.networks.fallback import usable_classifier

            settings = self._request.settings_at()
            note = None
            if not self._request.classifier_is_named:
                usable = usable_classifier(settings.video_classifier_model, progress)
                settings, note = self._request.settings_at(video_classifier_model=usable.name), usable.note
        if note:
            remark(note)
        with fetching(loading.loading_message(settings), quiet=self._request.quiet) as progress:
            loaded = loading.load_models(settings, progress)
        return loaded, settings.video_classifier_model


def _run_one(
    source: VideoSource,
    outputs: Outputs,
    request: Request,
    networks: _Networks,
    own: OwnActions | None,
    stdout: IO[str],
) -> None:
    from recognizer.timeline.model import frame_rate_hz

    max_file_bytes = None if request.max_file_mb is None else round(request.max_file_mb * BYTES_PER_MB)
    with open_video(source, max_file_bytes=max_file_bytes) as reader:  # reports a bad file before networks are loaded
        rate_hz = frame_rate_hz(reader.info)
        facts = reader.info
        changes = read_changes(request.corrections, request.groups, str(source.paths[0]), facts.sha256)
    loaded, classifier = networks.get()
    settings = request.settings_at(rate_hz, video_classifier_model=classifier)
    if own is not None:
        own.check(loaded, settings)
    with save_points(facts.sha256, [settings], fresh=request.fresh) as kept:
        said = _analyzed(source, facts, settings, loaded, request, max_file_bytes, kept)
        _report(source, said, changes, own, outputs, request, stdout)
        if kept is not None:
            kept.remove()


def _analyzed(
    source: VideoSource,
    facts: VideoInfo,
    settings: Settings,
    loaded: Models,
    request: Request,
    max_file_bytes: int | None,
    kept: CommandSavePoints | None,
) -> Timeline:
    from recognizer.analysis.file import Progress, analyze
    from recognizer.service.estimates import CostStore, Meter, estimate

    shown, costs, goes_on = display_name(source.name), CostStore(), ResumeRemark()
    expected = estimate(facts, settings, costs.all())
    if expected is not None and expected.is_long and not request.quiet:
        remark(f"{shown}: {expected.text}")
    meter = Meter(loaded)
    with working(f"analysing {shown}", request.quiet) as show:

        def follow(progress: Progress) -> None:
            meter.see(progress)
            if (text := goes_on.look(progress)) is not None and not request.quiet:
                remark(f"{shown}: {text}")
            show(progress.analysed_s, progress.duration_s, progress.frames_per_s, progress.remaining_s)

        said = analyze(
            source,
            settings,
            models=meter.models,
            progress=follow,
            max_file_bytes=max_file_bytes,
            sha256=facts.sha256,
            save_points=kept,
        )
    if goes_on.text is None:  # what is repeated says nothing about the cost
        costs.add(meter.cost(said))
    return said


def _report(
    source: VideoSource,
    said: Timeline,
    changes: Changes,
    own: OwnActions | None,
    outputs: Outputs,
    request: Request,
    stdout: IO[str],
) -> None:
    """Write or print what was said, with the corrections and own names."""
    shown = display_name(source.name)
    corrected = changes.applied_to(said if own is None else own.applied_to(said))
    timeline = corrected.timeline
    segments = corrected.segments(request.min_confidence, request.min_duration_s)
    if outputs.any:
        _write_files(source, corrected, changes.groups, outputs, request, stdout)
    else:
        _print_segments(shown, timeline, segments, stdout)
        if own is not None and own.mode == "beside":
            of_network = said.segments(request.min_confidence, request.min_duration_s)
            _print_segments(f"{shown}, the network's labels", said, of_network, stdout)
    if own is not None and not request.quiet and (about := own.remark(timeline)) is not None:
        remark(f"{shown}: {about}")
    if corrected.unfit:
        count = _count(len(corrected.unfit), "correction is", "corrections are")
        remark(f"{shown}: {count} about people or moments that are not in this timeline, and left out.")
    if not request.quiet:
        for note in (*as_notes(timeline.reading), *timeline.notes):
            remark(f"{shown}: {note}")
        if outputs.any:
            remark(f"{_summary(shown, timeline, segments)} {_written(outputs)}")


def _write_files(
    source: VideoSource,
    corrected: Corrected,
    groups: LabelGroups | None,
    outputs: Outputs,
    request: Request,
    stdout: IO[str],
) -> None:
    from recognizer.export import content_of, format_of

    content = content_of(
        corrected,
        source.name,
        min_confidence=request.min_confidence,
        min_duration_s=request.min_duration_s,
        groups=groups,
    )
    for option, place in (("csv", outputs.csv), ("json", outputs.json)):
        if place is not None:
            write_text(place, format_of(f".{option}").write(content).decode(), stdout)
    for path in outputs.exports:
        write_bytes(path, format_of(path).write(content))
    if outputs.video is not None:
        _write_video(source, corrected, content.segments, outputs.video, request.quiet)


def _write_video(
    source: VideoSource, corrected: Corrected, segments: Sequence[Segment], target: str, quiet: bool
) -> None:
    from recognizer.drawing.video import render_video
    from recognizer.palette import ActionPalette

    with working(f"drawing {display_name(target)}", quiet) as show:

        def follow(done_s: float, duration_s: float | None) -> None:
            show(done_s, duration_s, None, None)

        timeline, names = corrected.timeline, corrected.names
        render_video(source, timeline, segments, ActionPalette(), target, names=names, progress=follow)


def _print_segments(shown: str, timeline: Timeline, segments: Sequence[Segment], stdout: IO[str]) -> None:
    summary = one_line(_summary(shown, timeline, segments))
    if not segments:
        stdout.write(f"{summary}\n")
        return
    numbers = ("Start (s)", "End (s)", "Duration (s)", "Probability")
    printed = table({"Person": True, "Action": False} | dict.fromkeys(numbers, True))
    for segment in segments:
        printed.add_row(
            str(segment.person_id),
            one_line(segment.action),
            f"{segment.start_s:.2f}",
            f"{segment.end_s:.2f}",
            f"{segment.duration_s:.2f}",
            f"{segment.confidence:.2f}",
        )
    print_table(summary, printed, stdout)


def _summary(shown: str, timeline: Timeline, segments: Sequence[Segment]) -> str:
    """Return one or two sentences about the result, even if nobody was found."""
    if not timeline.people:
        return f"{shown}: nobody was found."
    people, labelled = len(timeline.people), {segment.person_id for segment in segments}
    brief = people - len(labelled | timeline.small_ids)  # a note covers people who are too small
    text = f"{shown}: {_count(people, 'person', 'people')}, {_count(len(segments), 'segment', 'segments')}."
    if brief:
        from recognizer.clips.sampling import shortest_stay_s

        needed_s = shortest_stay_s(timeline.settings, timeline.frame_rate_hz)
        text += (
            f" {_count(brief, 'person was', 'people were')} there for less than {needed_s:.1f} s and got no label; a"
            " smaller --sequence-length or --skip makes clips shorter."
        )
    return text


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _written(outputs: Outputs) -> str:
    return f"Wrote {', '.join(outputs.files)}." if outputs.files else ""
