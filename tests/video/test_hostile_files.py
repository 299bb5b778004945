"""Files with facts that cannot be: the reader refuses them in a sentence, or reads what is whole."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest

from recognizer.errors import VideoError
from recognizer.video import VideoWriter, container, open_video, probe
from recognizer.video.container import inspect, open_container, packets
from recognizer.video.reading import line
from recognizer.video.still import still_here

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def with_box_number(path: Path, kind: bytes, offset: int, number: int) -> Path:
    """Write a number of four bytes into the last box of this kind; the offset counts from its name."""
    content = bytearray(path.read_bytes())
    at = content.rindex(kind) + offset
    content[at : at + 4] = number.to_bytes(4)
    path.write_bytes(content)
    return path


def test_impossible_size_in_a_fragment_does_not_ask_for_that_memory(make_video: Callable[..., Path]) -> None:
    # the size of the fifth sample, after the name of a trun box, flags, the number of samples and an offset
    path = with_box_number(make_video(frames=30, options=FRAGMENTED), b"trun", 52, 0x7FFFFFFF)
    with open_video(path) as video:
        assert len(list(video.frames())) < 30
        assert len(video.reading.damaged) == 1


@pytest.mark.parametrize("time_s", [0.3, float("inf"), float("nan")])
def test_time_that_no_player_counts_to_is_a_sentence(make_video: Callable[..., Path], time_s: float) -> None:
    """Regression: an OverflowError. The file claims that each picture lasts for fifteen years."""
    path = make_video("a.ivf", frames=3, codec="libvpx")
    content = bytearray(path.read_bytes())
    content[16:24] = (1).to_bytes(4, "little") + (483_183_821).to_bytes(4, "little")  # a second as a share of ticks
    content[36:44] = (2**40).to_bytes(8, "little")  # the first picture's time
    path.write_bytes(content)
    with pytest.raises(VideoError, match=r"^'a.ivf' cannot be read at .* s: no player counts so far"):
        still_here(path, "'a.ivf'", inspect(path, "'a.ivf'", sha256=None), time_s)


def test_lack_of_memory_while_a_file_is_read_is_a_sentence(make_video: Callable[..., Path]) -> None:
    path = make_video()
    with (
        pytest.raises(VideoError, match=r"'video.mp4' asks for more memory than this computer gives, .*\.$"),
        open_container(path, "'video.mp4'", 0),
    ):
        raise MemoryError


def test_largest_pictures_are_not_called_damaged(
    make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # FFmpeg pads rows of 100 pixels, as those of 10000, before it compares the picture with the limit
    monkeypatch.setattr(container, "MAX_PICTURE_PX", 100 * 100)
    assert probe(make_video(frames=2, size=(100, 100))).width == 100


def test_rate_of_a_short_slow_motion_file_is_not_its_average(make_video: Callable[..., Path]) -> None:
    path = make_video(frames=60, times_s=[k / 240 for k in range(60)], fps=1000)
    with av.open(str(path)) as file:
        average = file.streams.video[0].average_rate
        assert average is not None
        assert 240 < average < 245, "the file does not show the fault"
    assert probe(path).frame_rate == 240


def test_hours_between_two_pictures_are_no_hours_of_silence(tmp_path: Path) -> None:
    rgb = np.zeros((48, 64, 3), np.uint8)
    hours_s = 10 * 3600.0
    sound = iter([(0, np.zeros((2, 1500), np.float32)), (round(hours_s * 48_000), np.ones((2, 48_000), np.float32))])
    with VideoWriter(tmp_path / "a.mp4", 1, 64, 48, sound=sound) as writer:
        for time_s in (0.0, hours_s, hours_s + 1):
            writer.write(rgb, time_s)
    with av.open(str(tmp_path / "a.mp4")) as file:
        times_s = [float(packet.pts * packet.time_base) for packet in file.demux(audio=0) if packet.pts is not None]
    assert len(times_s) < 200
    assert times_s[-1] == pytest.approx(hours_s + 1, abs=1.1)


@pytest.mark.slow
def test_few_minutes_between_two_pictures_do_not_fill_the_memory(tmp_path: Path) -> None:
    rgb = np.zeros((48, 64, 3), np.uint8)
    sound = iter([(0, np.zeros((2, 1024), np.float32)), (240 * 48_000, np.zeros((2, 1024), np.float32))])
    with VideoWriter(tmp_path / "a.mp4", Fraction(1, 240), 64, 48, sound=sound) as writer:
        writer.write(rgb, 0.0)
        tracemalloc.start()
        writer.write(rgb, 240.0)
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak_bytes < 20_000_000


def test_pictures_closer_together_than_a_tick_are_all_written(tmp_path: Path) -> None:
    rgb = np.zeros((48, 64, 3), np.uint8)
    with VideoWriter(tmp_path / "a.mp4", 30, 64, 48) as writer:
        for time_s in (0.0, 0.5, 0.500001, 0.500002, 1.0):
            writer.write(rgb, time_s)
        with pytest.raises(ValueError, match="is not after the one at"):
            writer.write(rgb, 1.0)
    with open_video(tmp_path / "a.mp4") as video:
        assert [frame.time_s for frame in video.frames()] == pytest.approx([0.0, 0.5, 0.5, 0.5, 1.0], abs=1e-4)


def test_stream_that_begins_after_the_file_was_opened_is_passed_over() -> None:
    class Container:
        """Demuxes as PyAV does: the packet of a stream that it does not know is an IndexError, and is gone."""

        def __init__(self) -> None:
            self._left: list[str | None] = ["one", None, None, None, None, "two"]

        def demux(self, _stream: object) -> Iterator[str]:
            while self._left:
                packet = self._left.pop(0)
                if packet is None:
                    raise IndexError("list index out of range")
                yield packet

    found: list[Any] = list(packets(cast("Any", Container()), cast("Any", None)))
    assert found == ["one", "two"]


def test_packet_that_is_unknown_for_ever_ends_the_file() -> None:
    class Container:
        def demux(self, _stream: object) -> Iterator[str]:
            raise IndexError("list index out of range")

    assert not list(packets(cast("Any", Container()), cast("Any", None)))


def test_pictures_that_the_decoder_marks_as_damaged_are_told(make_video: Callable[..., Path]) -> None:
    noise = np.random.default_rng(7).integers(0, 255, (30, 48, 64, 3), np.uint8)
    path = make_video(frames=noise)
    with av.open(str(path)) as file:
        places = [(packet.pos, packet.size) for packet in file.demux(video=0) if packet.pos is not None]
    at, size = places[15]
    content = bytearray(path.read_bytes())
    begin = at + int(0.3 * size)
    content[begin : begin + 200] = np.random.default_rng(3).bytes(200)
    path.write_bytes(content)
    with av.open(str(path)) as file:
        assert any(frame.is_corrupt for frame in file.decode(video=0)), "the decoder marks nothing"
    with open_video(path) as video:
        assert len(list(video.frames())) == 30
        assert video.reading.damaged
        assert "damaged at" in line(video.reading)
