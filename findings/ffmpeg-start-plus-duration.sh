#!/usr/bin/env bash
# FFmpeg 8.1, in PyAV 18.1.0: start_time + duration is not where the pictures end, in two common containers.
# - Matroska: the header's Duration counts from 0 (FFmpeg's writer stores the last end stamp there), but `duration` is
#   documented as a length. Two seconds that begin at 10 s, as a piece cut with its stamps kept, have start_time 10 and
#   duration 12: they seem to end at 22 s. The same two seconds in MP4 and in a transport stream have duration 2.
# - ASF (WMV): the file has one length, and every stream gets it. Two seconds of pictures with five seconds of sound have
#   a video stream of five seconds.
# A progress bar or a check for "the file ends early" that trusts the sum is wrong for valid files.
# Fails if that changes. Needs Python 3 and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
from fractions import Fraction

import av
import numpy as np


def write(name, container_format, begins_s=0, sound_s=0):
    with av.open(name, "w", format=container_format) as container:
        pictures = container.add_stream("mpeg4" if container_format != "mpegts" else "mpeg2video", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        if sound_s:
            sound = container.add_stream("wmav2", rate=48_000)
            context = sound.codec_context
            context.layout, context.format, context.bit_rate = "stereo", "fltp", 128_000
        for k in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * k, np.uint8), "rgb24")
            frame.pts, frame.time_base = k + 25 * begins_s, Fraction(1, 25)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode())
        for k in range(sound_s * 48_000 // 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, 1024 * k, Fraction(1, 48_000)
            container.mux(sound.encode(frame))
        if sound_s:
            container.mux(sound.encode())


def look(name):
    """Return the seconds that the file states, and those of its pictures."""
    with av.open(name) as container:
        stream = container.streams.video[0]
        begins, length = container.start_time / av.time_base, container.duration / av.time_base
        if stream.duration is not None:
            begins, length = (float(one * stream.time_base) for one in (stream.start_time, stream.duration))
        stamps_s = [float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None]
    shown_s = max(stamps_s) + 1 / 25 - min(stamps_s)
    print(f"{name}: begins {begins:.2f} s, duration {length:.2f} s; its pictures last {shown_s:.2f} s")
    return length, shown_s


print("PyAV", av.__version__, "FFmpeg", av.ffmpeg_version_info)
for name, container_format, expected_s in (("a.mp4", "mp4", 2), ("a.ts", "mpegts", 2), ("a.mkv", "matroska", 12)):
    write(name, container_format, begins_s=10)
    length_s, shown_s = look(name)
    assert abs(length_s - expected_s) < 0.01 and abs(shown_s - 2) < 0.01
write("a.wmv", "asf", sound_s=5)
length_s, shown_s = look("a.wmv")
assert abs(length_s - 5) < 0.1 and abs(shown_s - 2) < 0.01
PYTHON
