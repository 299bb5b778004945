"""The beginning of every graph of FFmpeg's filters."""

from __future__ import annotations

from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame


def add_source(graph: Graph, frame: VideoFrame, **options: str) -> FilterContext:
    """Add the filter that takes frames of the size and format of ``frame``, whose stamps count frames.

    Args:
        graph: the graph.
        frame: one of its frames.
        options: further options of FFmpeg's filter ``buffer``.
    """
    size = f"{frame.width}x{frame.height}"
    return graph.add("buffer", video_size=size, pix_fmt=frame.format.name, time_base="1/1", **options)
