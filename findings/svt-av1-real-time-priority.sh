#!/usr/bin/env bash
# SVT-AV1 4.1, in PyAV 18.1.0, on Linux: whoever encodes AV1 as root has a real-time thread from then on.
# The encoder gives the thread that calls it SCHED_FIFO with priority 99, the highest there is, and does not undo it when
# the encoder is closed. Threads and processes that this thread starts later inherit it. In a container programs often are
# root: a worker that has encoded one small AV1 file takes the cores from everything else on the machine, and so does each
# process that it starts. Without the right to raise priorities nothing happens, so a developer's own account does not show
# it. With libx264, libx265 and libvpx-vp9 the priority stays.
# Fails if that changes; without that right it says so and ends. Needs Linux, Python 3 and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$folder"
SVT_LOG=0 venv/bin/python - <<'PYTHON'
import os
import subprocess
import sys

import av
import numpy as np

NAMES = {os.SCHED_OTHER: "SCHED_OTHER", os.SCHED_FIFO: "SCHED_FIFO", os.SCHED_RR: "SCHED_RR"}


def priority():
    return NAMES.get(os.sched_getscheduler(0)), os.sched_getparam(0).sched_priority


def may_raise():
    """Return whether this process has the right, tried in another one."""
    code = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode == 0


def encode(codec):
    """Encode five pictures and close the file."""
    with av.open("clip.mkv", "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for k in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((96, 128, 3), 40 * k, np.uint8), "rgb24")))
        container.mux(stream.encode())


print("PyAV", av.__version__)
if not may_raise():
    raise SystemExit("This account may not raise priorities, so nothing can be seen here.")
for codec in ("libx264", "libx265", "libvpx-vp9", "libsvtav1"):
    encode(codec)
    now = priority()
    print(f"after {codec}: {now[0]}, {now[1]}")
    assert now == (("SCHED_FIFO", 99) if codec == "libsvtav1" else ("SCHED_OTHER", 0)), now
child = subprocess.run(
    [sys.executable, "-c", "import os; print(os.sched_getscheduler(0) == os.SCHED_FIFO)"],
    capture_output=True, text=True,
).stdout.strip()
print("a process that is started then has it too:", child)
assert child == "True"
PYTHON
