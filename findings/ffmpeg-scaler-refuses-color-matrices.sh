#!/usr/bin/env bash
# FFmpeg 8.1 (libswscale 9.5), in PyAV 18.1.0: pictures that decode without any error cannot be converted to RGB.
# H.264 and H.265 name the matrix of their colours by a number of ITU-T H.273. x264 writes 8, YCgCo, on request, and
# masters of HDR use 10 and 14 (BT.2020 with constant luminance, ICtCp). The decoder hands all of them out. The scaler
# refuses 8 and 10 to 14 with EOPNOTSUPP: `frame.to_ndarray(format="rgb24")` and `reformat` raise OSError 95, for a file
# of which every packet decodes. A program that guards only decoding, where damaged data raise errors, ends there.
# Naming the source's color space in `reformat` avoids it, with approximate colours.
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
from av.video.reformatter import Colorspace

print("PyAV", av.__version__, "libswscale", ".".join(map(str, av.library_versions["libswscale"])))
refused = []
for matrix in range(18):
    with av.open("clip.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.colorspace = matrix
        for k in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), 40 * k, np.uint8), "yuv420p")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open("clip.mp4") as container:
        frames = list(container.decode(video=0))  # no error for any of them
    assert len(frames) == 5
    try:
        frames[0].to_ndarray(format="rgb24")
    except OSError as error:
        assert error.errno == 95, error
        refused.append(frames[0].colorspace)
    frames[0].reformat(format="rgb24", src_colorspace=Colorspace.ITU709)  # converts all of them
print("decoded, but not converted: matrix", ", ".join(map(str, map(int, refused))))
assert set(map(int, refused)) == {8, 10, 11, 12, 13, 14}, refused
PYTHON
