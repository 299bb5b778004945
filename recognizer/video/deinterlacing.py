"""Make whole pictures of interlaced ones, which hold two moments in alternating rows."""

from __future__ import annotations

from collections import deque
from typing import Final, Generic, TypeVar

import av
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from recognizer.video.filter_source import add_source

_Tag = TypeVar("_Tag")

_MATRICES: Final = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}
_RANGES: Final = {1: "tv", 2: "pc"}


def codes_fields(stream: VideoStream) -> bool:
    """Return whether a frame of the stream that is flagged as interlaced is a single field, of half the height.

    HEVC codes fields as pictures of their own. FFmpeg 8 passes them on one by one and flags no others; of all other
    codecs it weaves them into frames.
    """
    return stream.codec_context.codec.canonical_name == "hevc"


class Deinterlacer(Generic[_Tag]):
    """Deinterlace the frames of a stream that are flagged as interlaced; let the others through as they are.

    FFmpeg's filter ``bwdif`` looks at the frames before and after, so frames come out one later, each with the tag that
    it came in with. Every frame makes one picture, of its first field; the second field's moment is left out, so that
    frame numbers and times stay those of the file. Single fields need no filter, only ``PixelAspect``'s double height.

    Attributes:
        used: whether a frame was deinterlaced.
    """

    def __init__(self, *, codes_fields: bool = False) -> None:
        self.used = False
        self._codes_fields = codes_fields
        self._graph: Graph | None = None
        self._kind: tuple[object, ...] = ()
        self._waiting: deque[_Tag] = deque()
        self._number = 0

    def feed(self, frame: VideoFrame, tag: _Tag) -> list[tuple[VideoFrame, _Tag]]:
        """Take the next frame; return the frames that are ready."""
        if self._graph is None and not frame.interlaced_frame:
            return [(frame, tag)]
        self.used = self.used or frame.interlaced_frame
        if self._codes_fields:
            return [(frame, tag)]
        ready: list[tuple[VideoFrame, _Tag]] = []
        kind = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range)
        if self._graph is None or kind != self._kind:
            ready = self.rest()
            self._graph, self._kind = _graph(frame), kind
        # stamps that increase, which the file's own may not
        frame.pts = self._number
        self._number += 1
        self._waiting.append(tag)
        self._graph.push(frame)
        return ready + self._pulled(self._graph)

    def rest(self) -> list[tuple[VideoFrame, _Tag]]:
        """Return the frames that are still inside; call this after the last frame."""
        if self._graph is None:
            return []
        self._graph.push(None)
        ready = self._pulled(self._graph)
        self._graph = None
        return ready

    def _pulled(self, graph: Graph) -> list[tuple[VideoFrame, _Tag]]:
        ready: list[tuple[VideoFrame, _Tag]] = []
        while True:
            try:
                frame = graph.pull()
            except (av.BlockingIOError, av.EOFError):  # it needs the next frame, or the last one came out
                return ready
            assert isinstance(frame, VideoFrame)
            ready.append((frame, self._waiting.popleft()))


def _graph(frame: VideoFrame) -> Graph:
    graph = Graph()
    options = {"colorspace": _MATRICES.get(frame.colorspace), "range": _RANGES.get(frame.color_range)}
    graph.link_nodes(
        add_source(graph, frame, **{name: value for name, value in options.items() if value is not None}),
        graph.add("bwdif", mode="send_frame", parity="auto", deint="interlaced"),
        graph.add("buffersink"),
    )
    graph.configure()
    return graph
