"""Where a video is damaged, by its seconds."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path

import av
import numpy as np
import pytest

from recognizer.types import DamagedSpan
from recognizer.video import open_video
from recognizer.video.damage import DamageLog
from recognizer.video.reading import line
from tests.support.ffmpeg import ffmpeg

EVEN_S = np.arange(60) / 10


def one_span(spans: tuple[DamagedSpan, ...]) -> tuple[float, ...]:
    """Return start, end and number of packets of the only span."""
    (span,) = spans
    return astuple(span)


def test_undamaged_video_has_no_spans() -> None:
    times_s = [0.0, 0.1, 5.0, 5.1]  # a pause in the recording is no damage
    assert DamageLog().spans(times_s, 10.0) == ()


def test_packets_are_placed_in_the_gap_that_follows_their_failure() -> None:
    damage = DamageLog()
    damage.packet_failed(18)  # threads and the display order hold pictures back
    damage.packet_failed(19)
    times_s = np.delete(EVEN_S, [21, 22])
    assert one_span(damage.spans(times_s, 6.0)) == pytest.approx((2.1, 2.3, 2))


def test_packet_without_a_gap_is_placed_where_it_failed() -> None:
    damage = DamageLog()
    damage.packet_failed(11)
    assert one_span(damage.spans(EVEN_S, 6.0)) == pytest.approx((1.0, 1.1, 1))


def test_packets_at_the_end_reach_to_the_end() -> None:
    damage = DamageLog()
    for _ in range(30):
        damage.packet_failed(60)
    assert one_span(damage.spans(EVEN_S, 8.0)) == pytest.approx((6.0, 8.0, 30))


def test_one_packet_at_a_cut_is_one_picture_long() -> None:
    damage = DamageLog()
    damage.packet_failed(60)
    assert one_span(damage.spans(EVEN_S, 8.0)) == pytest.approx((6.0, 6.1, 1))


def test_marked_packet_that_leaves_no_gap_is_not_told() -> None:
    # the first packet after the joint of two transport streams is marked, and nothing is missing
    damage = DamageLog()
    damage.packet_is_marked(30)
    assert damage.spans(EVEN_S, 6.0) == ()
    assert one_span(damage.spans(np.delete(EVEN_S, [31, 32]), 6.0)) == pytest.approx((3.1, 3.3, 0))


def test_one_picture_is_enough() -> None:
    damage = DamageLog()
    damage.packet_failed(1)
    assert one_span(damage.spans([0.0], 0.0)) == pytest.approx((0.0, 0.0, 1))


def video(folder: Path, name: str, keyframes: int = 30) -> Path:
    """Return a video of eight seconds with B-frames."""
    source = "testsrc2=s=160x120:r=30:d=8"
    options = ("-c:v", "libx264", "-bf", "2", "-g", str(keyframes))
    ffmpeg("-f", "lavfi", "-i", source, *options, name, folder=folder)
    return folder / name


def video_packets(path: Path) -> list[tuple[float, int, int]]:
    """Return presentation time, byte position and size of every packet."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [(float((p.pts or 0) * p.time_base), p.pos or 0, p.size) for p in packets]


def with_loss(path: Path) -> Path:
    """Cut some kilobytes out of the file at 4.2 s."""
    data = path.read_bytes()
    start_s = min(time_s for time_s, _, _ in video_packets(path))
    lost = next(position for time_s, position, _ in video_packets(path) if time_s - start_s >= 4.2)
    path.write_bytes(data[:lost] + data[lost + 188 * 40 :])
    return path


def test_packets_of_an_mp4_are_told_by_their_seconds(tmp_path: Path) -> None:
    path = video(tmp_path, "a.mp4")
    data = bytearray(path.read_bytes())
    spoilt = [(position, size) for time_s, position, size in video_packets(path) if 3.1 <= time_s < 3.199]
    for position, size in spoilt:
        data[position : position + size] = bytes(size)
    path.write_bytes(data)
    with open_video(path) as reader:
        list(reader.frames(lambda index, _: index == 0))
        (span,) = reader.reading.damaged
        assert (span.start_s, span.end_s) == pytest.approx((3.1, 3.2), abs=0.04)
        assert span.packets == len(spoilt) == 3
        assert "3 packets at 3.1 to 3.2 s could not be decoded" in line(reader.reading)


def test_packets_that_the_container_lost_are_told_too(tmp_path: Path) -> None:
    # no packet fails: the demuxer finds the next one, and the decoder drops what depended on the lost ones
    with open_video(with_loss(video(tmp_path, "a.ts"))) as reader:
        list(reader.frames(lambda index, _: index == 0))
        times_s = reader.frame_times_s
        (span,) = reader.reading.damaged
    gap = int(np.diff(times_s).argmax())
    assert times_s[gap + 1] - times_s[gap] > 0.06
    assert span.start_s <= times_s[gap] + 0.04
    assert span.end_s == pytest.approx(times_s[gap + 1], abs=0.01)
    assert f"damaged at {span.start_s:.1f} to {span.end_s:.1f} s" in line(reader.reading)


def test_loss_without_a_sign_is_a_pause(tmp_path: Path) -> None:
    # Matroska's demuxer goes on at the next cluster and marks nothing
    with open_video(with_loss(video(tmp_path, "a.mkv", keyframes=60))) as reader:
        list(reader.frames(lambda index, _: index == 0))
        assert reader.reading.damaged == ()
        ((start_s, end_s),) = reader.reading.pauses
        assert (start_s, end_s) == pytest.approx((4.2, 6.0), abs=0.15)
        assert line(reader.reading) == f"no new picture at {start_s:.1f} to {end_s:.1f} s"
