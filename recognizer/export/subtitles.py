"""Segments as subtitles, WebVTT and SRT: one cue per segment, in the order of time."""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Iterator

from webvtt import Caption, WebVTT
from webvtt.models import Timestamp

from recognizer.export.content import Content, LabelSpan, label_spans_ms


def vtt(content: Content) -> bytes:
    """Return WebVTT; each cue reads ``Person 1: jogging``, and its voice is the person."""

    def text(name: str, label: str) -> str:
        voice = html.escape(name, quote=False).replace("\n", " ")
        return f"<v {voice}>{html.escape(f'{name}: {label}', quote=False)}"

    return (WebVTT(captions=list(_captions(content, text))).content + "\n").encode()


def srt(content: Content) -> bytes:
    """Return SRT; players take text between angle brackets for formatting, so these become other ones."""

    def text(name: str, label: str) -> str:
        return f"{name}: {label}".translate({ord("<"): "‹", ord(">"): "›"})

    written = io.StringIO()
    WebVTT(captions=list(_captions(content, text))).write(written, format="srt")
    return (written.getvalue().rstrip("\n") + "\n").encode()


def _captions(content: Content, text_of: Callable[[str, str], str]) -> Iterator[Caption]:
    def by_time(span: LabelSpan) -> tuple[int, int, int]:
        return span.start_ms, span.end_ms, span.person_id

    for span in sorted(label_spans_ms(content), key=by_time):
        text = text_of(content.people_names[span.person_id], span.label)
        yield Caption(_stamp(span.start_ms), _stamp(span.end_ms), text)


def _stamp(time_ms: int) -> str:
    seconds, ms = divmod(time_ms, 1000)
    return str(Timestamp(seconds // 3600, seconds // 60 % 60, seconds % 60, ms))
