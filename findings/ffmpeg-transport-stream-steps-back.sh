#!/usr/bin/env bash
# FFmpeg 8.1, in PyAV 18.1.0, takes a transport stream whose clock steps back for one whose 33-bit clock has run over.
# A recorder that starts anew in the middle of a file, or two files that are joined with `cat`, give such a stream: two
# seconds from 100 s on and two seconds from 0 s on, four in all. FFmpeg adds 2^33 / 90000 s = 95443.7 s (26.5 hours) to
# the stamps after the step, and the file is 26.5 hours long. The demuxer's option correct_ts_overflow=0 switches it off;
# the stamps then are those in the file, and a reader sees the step and can close it.
# Fails if that changes. Needs Python 3 and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def write(name, begins_s, frames=50):
    with av.open(name, "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 4 * k, np.uint8), "rgb24")
            frame.pts, frame.time_base = k + 25 * begins_s, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def look(options):
    with av.open("joined.ts", options=options) as container:
        stream = container.streams.video[0]
        length_s = float(stream.duration * stream.time_base)
        times_s = [float(p.pts * p.time_base) for p in container.demux(stream) if p.pts is not None]
    print(options or "as it is:", len(times_s), "pictures, duration", round(length_s, 2), "s, times around the step",
          [round(t, 2) for t in times_s[48:52]])
    return length_s, times_s


write("one.ts", 100)
write("other.ts", 0)
Path("joined.ts").write_bytes(Path("one.ts").read_bytes() + Path("other.ts").read_bytes())
print("PyAV", av.__version__, "FFmpeg", av.ffmpeg_version_info)
length_s, times_s = look({})
assert len(times_s) == 100 and abs(times_s[50] - 2**33 / 90_000) < 0.1 and length_s > 95_000
_, times_s = look({"correct_ts_overflow": "0"})
assert len(times_s) == 100 and times_s[49] > 100 and times_s[50] < 1
PYTHON
