"""Write a comparison as one self-contained HTML file of charts and tables, which opens anywhere."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pandas as pd
import plotly.io

from recognizer import export, plots
from recognizer.comparison.agreement import BIN_S, disagreements
from recognizer.comparison.model import Comparison, Entry, Lane, pairs
from recognizer.comparison.scoring import Scored
from recognizer.errors import one_line
from recognizer.palette import PAGE_LIGHT, ActionPalette
from recognizer.plots.config import NO_CLOUD
from recognizer.plots.layout import Figure
from recognizer.settings import Settings
from recognizer.timeline.groups import LabelGroups
from recognizer.video import describe

MOST_DISAGREEMENTS: Final = 200
"""Maximum number of rows in the table of two classifiers; the JSON has all of them."""

KAPPA_NOTE: Final = (
    f"Kappa is Cohen's, counted over bins of {BIN_S:g} s: 1 is full agreement, 0 is what chance would give. The words "
    "are those of Landis and Koch (1977): below 0 poor, up to 0.20 slight, 0.40 fair, 0.60 moderate, 0.80 substantial, "
    "above almost perfect. Only time in which both have a label is compared."
)

COST_NOTE: Final = (
    "Measured on this machine while it analysed this video, along with whatever else it did. Clips per second and "
    "milliseconds count the classifier alone; decoding and finding people is done once for all. Share of real time is "
    "the classifier's work for one second of this video with its people: under 100 % it keeps up. Memory is the peak "
    "of the whole program during that time. Accuracy is the published one on whole Kinetics-400 videos; on crops of "
    "people it is lower."
)

_CHART: Final = {**NO_CLOUD, "responsive": True}

_STYLE: Final = """
:root { color-scheme: light; }
body { background: %(page)s; color: #1D2A30; font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem;
  padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.8rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { border-top: 1px solid #D9D1C3; font-size: 1.3rem; margin: 2.5rem 0 .5rem; padding-top: 1rem; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
p, li { max-width: 48rem; }
.note { color: #4A565C; font-size: .9rem; }
.problem { background: #FBEDE6; border-left: 4px solid #B5481D; padding: .5rem .75rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #E4DFD5; padding: .3rem .75rem .3rem 0; text-align: left; vertical-align: top; }
th { font-weight: 600; }
@media print { h2 { break-after: avoid; } }
""" % {"page": PAGE_LIGHT}  # noqa: UP031 - the style is full of braces


def comparison_report(
    comparison: Comparison,
    video_name: str,
    palette: ActionPalette,
    *,
    min_confidence: float = 0.0,
    min_duration_s: float = 0.0,
    scored: Scored | None = None,
    groups: LabelGroups | None = None,
) -> str:
    """Return a comparison as one HTML document; it contains plotly.js and loads nothing from the network.

    Args:
        comparison: the comparison; at least one entry must have run.
        video_name: the user's name for the video.
        palette: colors of the actions.
        min_confidence: threshold of the segments.
        min_duration_s: threshold of the segments.
        scored: the scores against the user's own labels.
        groups: the label groups that the comparison was folded into.

    Raises:
        ValueError: no entry has run.
    """
    timeline = comparison.timeline
    if timeline is None:
        raise ValueError("there is nothing to report: no classifier has run")
    lanes = comparison.lanes(min_confidence, min_duration_s)
    charts = _Charts()
    thresholds = f"minimum confidence {min_confidence:g}, minimum duration {min_duration_s:g} s"
    body = [
        f"<h1>{_text(video_name)}</h1>",
        f"<p>{_text(describe(timeline.video))} · {_text(_shared(timeline.settings))} · {_text(thresholds)}</p>",
        *([] if groups is None else [f"<p>Counted as {_text(groups.in_words)}.</p>"]),
        "<ul>",
        *(f"<li>{_text(_asked(entry))}</li>" for entry in comparison.entries if entry.timeline is not None),
        "</ul>",
        *(
            f'<p class="problem"><b>{_text(entry.name)}</b> did not run: {_text(entry.problem)}</p>'
            for entry in comparison.entries
            if entry.problem is not None
        ),
        "<h2>Who does what, when</h2>",
        *_people(lanes, comparison, palette, charts, scored),
        "<h2>Agreement</h2>",
        *_agreement(lanes, comparison),
        "<h2>Where they differ</h2>",
        *_differences(lanes),
        *(_scores(scored, charts) if scored is not None else ()),
        *_costs(comparison),
    ]
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(video_name)}: classifiers compared</title>",
            f"<style>{_STYLE}</style>\n</head>\n<body>",
            *body,
            "</body>\n</html>\n",
        )
    )


def _text(text: str) -> str:
    return html.escape(one_line(text))


def _shared(settings: Settings) -> str:
    return (
        f"people detected by {settings.model} in one frame of {settings.skip_frame}, tracked by {settings.tracker}, "
        "once for all classifiers"
    )


def _asked(entry: Entry) -> str:
    settings = entry.settings
    return (
        f"{entry.name}: {settings.num_video_sequence_samples} samples per clip, crop margin "
        f"{settings.crop_margin_percentage} %, overlap {settings.overlap:g}"
    )


def _table(table: pd.DataFrame) -> str:
    return f'<div class="wide">{table.to_html(index=False, na_rep="–", border=0, justify="left")}</div>'


def _costs(comparison: Comparison) -> Iterator[str]:
    if comparison.has_costs:
        yield "<h2>Cost of each classifier</h2>"
        yield _table(export.cost_table(comparison))
        yield f'<p class="note">{_text(COST_NOTE)}</p>'


class _Charts:
    """Charts as HTML; the first one includes plotly.js."""

    def __init__(self) -> None:
        self._included = False

    def html(self, figure: Figure) -> str:
        text: str = plotly.io.to_html(figure, _CHART, full_html=False, include_plotlyjs=not self._included)
        self._included = True
        return text


def _people(
    lanes: Sequence[Lane], comparison: Comparison, palette: ActionPalette, charts: _Charts, scored: Scored | None
) -> Iterator[str]:
    if not comparison.people:
        yield "<p>Nobody was found in this video.</p>"
    for track in comparison.people:
        yield f"<h3>Person {track.person_id}</h3>"
        truth = scored.truth if scored is not None else ()
        yield charts.html(plots.classifier_lanes(lanes, track.person_id, palette, truth=truth))


def _agreement(lanes: Sequence[Lane], comparison: Comparison) -> Iterable[str]:
    if len(lanes) < 2:
        return ("<p>One classifier ran, so there is nothing to compare it with.</p>",)
    table = export.agreement_table(lanes, [track.person_id for track in comparison.people])
    return (_table(table), f'<p class="note">{_text(KAPPA_NOTE)}</p>')


def _differences(lanes: Sequence[Lane]) -> Iterator[str]:
    for one, other in pairs(lanes):
        spans = disagreements(one.segments, other.segments)
        yield f"<h3>{_text(one.name)} and {_text(other.name)}</h3>"
        if not spans:
            yield "<p>Nowhere.</p>"
            continue
        yield _table(export.disagreements_table(spans[:MOST_DISAGREEMENTS], (one.name, other.name)))
        if len(spans) > MOST_DISAGREEMENTS:
            yield f'<p class="note">The longest {MOST_DISAGREEMENTS} of {len(spans)}; the JSON has all.</p>'


def _scores(scored: Scored, charts: _Charts) -> Iterator[str]:
    yield "<h2>Against your labels</h2>"
    yield _table(export.scores_table(scored.scores))
    for note in scored.notes:
        yield f'<p class="note">{_text(note)}</p>'
    for name, score in scored.scores:
        yield f"<h3>{_text(name)}</h3>"
        yield _table(export.classes_table(score))
        if score.bouts:
            yield '<p class="note">Bouts: segments of one person and action that overlap are matched.</p>'
            yield _table(export.bouts_table(score))
        if score.apart:
            yield '<p class="note">Scored apart, because they happen during other actions:</p>'
            yield _table(export.apart_table(score))
        if score.labels:
            yield charts.html(plots.confusion_matrix(score))
