#!/usr/bin/env bash
# PyAV 18.1.0: a frame whose `side_data` was read stays in memory, with its whole picture, until Python looks for
# cycles.
# The frame keeps the container of its side data (av/frame.py), and that container keeps the frame
# (av/sidedata/sidedata.py); without that attribute, a frame goes with its last reference. Python looks for cycles by
# the number of objects, not by their size: a picture of 12 megapixels is one object of 18 MB, so that a process that
# opens files one after another grows by a picture a file. Whoever reads motion vectors, a display matrix or HDR's
# light levels needs gc.collect() now and then. This looks at 20 first pictures with and without reading side data,
# and measures what stays.
# Fails if that changes. Needs Python 3.11 or newer and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6 psutil==7.2.2
cd "$folder"
cat >look.py <<'PYTHON'
import gc
import sys

import av
import numpy as np
import psutil

LOOKS, WIDTH, HEIGHT = 20, 4000, 3000
PICTURE_MB = WIDTH * HEIGHT * 3 // 2 / 1e6

with av.open("a.mp4", "w") as file:
    stream = file.add_stream("mpeg4", rate=10)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for packet in [*stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")), *stream.encode()]:
        file.mux(packet)


def look(reads):
    with av.open("a.mp4") as file:
        frame = next(file.decode(video=0))
        if reads:
            len(frame.side_data)


def kept_mb(reads):
    """Return what 20 looks leave before and after Python looks for cycles."""
    look(reads)
    gc.collect()
    process = psutil.Process()
    before = process.memory_full_info().uss
    for _ in range(LOOKS):
        look(reads)
    looked = process.memory_full_info().uss
    gc.collect()
    return (looked - before) / 1e6, (process.memory_full_info().uss - before) / 1e6


plain, read = kept_mb(False), kept_mb(True)
print(f"PyAV {av.__version__}, {LOOKS} pictures of {PICTURE_MB:.0f} MB, each looked at alone:")
print(f"  without side data: {plain[0]:.0f} MB stay")
print(f"  side_data read:    {read[0]:.0f} MB stay, {read[1]:.0f} MB after gc.collect()")
as_seen = plain[0] < 2 * PICTURE_MB and read[0] > 10 * PICTURE_MB and read[1] < read[0] - 5 * PICTURE_MB
sys.exit(0 if as_seen else "this is not what was seen in PyAV 18.1.0")
PYTHON
"$folder/venv/bin/python" look.py
# Seen:
# PyAV 18.1.0, 20 pictures of 18 MB, each looked at alone:
#   without side data: 0 MB stay
#   side_data read:    352 MB stay, -2 MB after gc.collect()
