"""How a file counts time: rates that are measured, and what FFmpeg says that is not so."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recognizer.video.timing import as_fraction, usual_rate
from tests.support.ffmpeg import ffmpeg

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
SOURCE = ("-f", "lavfi", "-i", "testsrc=s=96x64:r=15:d=1")


@pytest.mark.parametrize(
    ("distances_s", "stated", "tick_s", "rate"),
    [
        ([0.04] * 9, (), 1e-5, Fraction(25)),
        ([0.04, 0.04, 60.0, 0.04, 0.04], (), 1e-5, Fraction(25)),
        ([0.04, 0.2], (), 1e-5, Fraction(25)),
        ([0.033, 0.034, 0.033] * 9, (Fraction(30000, 1001), Fraction(1000)), 1e-3, Fraction(30000, 1001)),
        ([0.033, 0.033, 0.034] * 9, (), 1e-3, Fraction(30)),
        ([0.004, 0.004, 0.004, 0.005, 0.004, 0.004] * 9, (Fraction(240),), 1e-3, Fraction(240)),
        ([3600.0] * 3, (), 1e-3, Fraction(1, 3600)),
        ([], (Fraction(25),), 1e-3, None),
    ],
)
def test_usual_rate_is_that_of_the_median_distance(
    distances_s: list[float], stated: tuple[Fraction, ...], tick_s: float, rate: Fraction | None
) -> None:
    measured = usual_rate(list(accumulate(distances_s, initial=5.0)), stated, tick_s)
    assert measured == (None if rate is None else pytest.approx(rate, rel=1e-3))


@given(st.lists(st.floats(0, 1e5)), st.floats(1e-6, 1.0))
@example([0.0, 2.2250738585e-313], 1.0).via("regression: the rate is beyond the largest float")
def test_any_stamps_give_a_plausible_rate_or_none(stamps_s: list[float], tick_s: float) -> None:
    rate = usual_rate(stamps_s, (), tick_s)
    assert rate is None or 0 < rate <= 1000


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(25), Fraction(1, 60), Fraction(1, 86400)])
def test_rates_of_cameras_are_exact_fractions(rate: Fraction) -> None:
    assert as_fraction(float(rate)) == rate


# --- FFmpeg 8 in PyAV 18; a change here would allow simpler code


def test_average_rate_of_a_raw_stream_is_25_whatever_its_header_says(tmp_path: Path) -> None:
    ffmpeg(*SOURCE, *H264, "a.h264", folder=tmp_path)
    with av.open(str(tmp_path / "a.h264")) as container:
        stream = container.streams.video[0]
        assert (stream.average_rate, stream.codec_context.framerate) == (25, 15)
        assert {frame.pts for frame in container.decode(stream)} == {None}


def test_step_back_of_a_transport_stream_becomes_a_day(tmp_path: Path) -> None:
    for name, offset_s in (("a.ts", "7200"), ("b.ts", "3600")):
        ffmpeg(*SOURCE, *H264, "-output_ts_offset", offset_s, name, folder=tmp_path)
    (tmp_path / "c.ts").write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())

    def longest_step_s(options: dict[str, str]) -> float:
        with av.open(str(tmp_path / "c.ts"), options=options) as container:
            return float(np.diff([frame.time or 0.0 for frame in container.decode(video=0)]).max())

    assert longest_step_s({}) == pytest.approx(2**33 / 90000 - 3601, abs=1)
    assert longest_step_s({"correct_ts_overflow": "0"}) == pytest.approx(1 / 15, abs=1e-3)


def test_short_motion_jpeg_is_taken_for_a_photo(tmp_path: Path) -> None:
    ffmpeg(*SOURCE, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "a.mjpeg", folder=tmp_path)
    with av.open(str(tmp_path / "a.mjpeg")) as container:
        assert container.format.name == "jpeg_pipe"


def test_duration_of_a_matroska_piece_is_its_end(tmp_path: Path) -> None:
    ffmpeg(*SOURCE, *H264, "-output_ts_offset", "600", "a.mkv", folder=tmp_path)
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert (container.start_time or 0) / av.time_base == pytest.approx(600)
        assert (container.duration or 0) / av.time_base == pytest.approx(601)
