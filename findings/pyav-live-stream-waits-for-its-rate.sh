#!/usr/bin/env bash
# PyAV 18.1.0, FFmpeg: the first picture of a live stream waits for 23, and what is known against delay does not help.
# Before it gives the first picture, avformat_find_stream_info collects 20 and more to find their rate
# (libavformat/demux.c, fps_analyze_framecount). A camera with 10 pictures a second shows nothing for more than two
# seconds, and then these pictures come all at once. `fflags=nobuffer` throws them away, so that the next key frame has
# to be waited for as well; `flags=low_delay` and `analyzeduration=0` change nothing here. `fpsprobesize=0` does: three
# pictures. The price is the rate, which is then wrong: PyAV guesses 20.
# This hands a stream over as a camera does, one picture at a time, and counts how many had to be there.
# Fails if that changes. Needs Python 3.11 or newer and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
cat >look.py <<'PYTHON'
import io
import sys

import av
import numpy as np

RATE_HZ, PICTURES = 10, 60

made = io.BytesIO()
ends = []  # of each picture, in the stream
with av.open(made, "w", format="mpegts") as file:
    stream = file.add_stream("libx264", rate=RATE_HZ, options={"tune": "zerolatency", "x264-params": "keyint=10"})
    stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
    for number in range(PICTURES):
        picture = np.full((240, 320, 3), 4 * number, np.uint8)
        for packet in stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")):
            file.mux(packet)
            ends.append(made.tell())
sent = made.getvalue()


class Camera:
    """Gives one picture after another; how many were given is how long somebody has waited."""

    def __init__(self):
        self.given = 0
        self._at = 0

    def read(self, size):
        if self.given == len(ends):
            return b""
        begin, self._at = self._at, min(self._at + size, ends[self.given])
        self.given += self._at == ends[self.given]
        return sent[begin : self._at]


def waited_for(**options):
    """Return how many pictures were given before the first came out, and the rate that PyAV knows then."""
    camera = Camera()
    with av.open(camera, format="mpegts", options=options, buffer_size=188) as file:
        next(file.decode(video=0))
        return camera.given, float(file.streams.video[0].guessed_rate)


print(f"PyAV {av.__version__}, {RATE_HZ} pictures a second:")
seen = {}
for options in (
    {},
    {"flags": "low_delay"},
    {"analyzeduration": "0"},
    {"fflags": "nobuffer"},
    {"fpsprobesize": "0"},
):
    name = ", ".join(f"{key}={value}" for key, value in options.items()) or "no option"
    seen[name], rate_hz = waited_for(**options)
    print(f"  {name:18} the first comes after {seen[name]:2} ({seen[name] / RATE_HZ:.1f} s), rate {rate_hz:g}")
usual = seen["no option"]
helps_not = seen["flags=low_delay"] == seen["analyzeduration=0"] == usual < seen["fflags=nobuffer"]
sys.exit(0 if usual > 20 and helps_not and seen["fpsprobesize=0"] < 5 else "this is not what was seen in PyAV 18.1.0")
PYTHON
"$folder/venv/bin/python" look.py
# Seen:
# PyAV 18.1.0, 10 pictures a second:
#   no option          the first comes after 23 (2.3 s), rate 10
#   flags=low_delay    the first comes after 23 (2.3 s), rate 10
#   analyzeduration=0  the first comes after 23 (2.3 s), rate 10
#   fflags=nobuffer    the first comes after 33 (3.3 s), rate 10
#   fpsprobesize=0     the first comes after  3 (0.3 s), rate 20
