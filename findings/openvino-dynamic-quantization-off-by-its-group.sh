#!/usr/bin/env bash
# OpenVINO 2026.4.1, CPU, Python: a group wider than a layer switches dynamic quantization off for that layer, silently.
# A linear layer whose weights are int8 gets its inputs rounded to int8 as it runs, on processors with VNNI. That is so by
# default, in groups of 32 inputs, and also with INFERENCE_PRECISION_HINT=f32, which one sets to lose nothing; only the
# group size 0 or EXECUTION_MODE_HINT=ACCURACY ends it.
# Larger groups are faster, and on a GPU the largest number, 2^64 - 1, means one range for each row. On the CPU, a group
# that is wider than a layer's inputs, or no multiple of 16, gives that layer's weights back as floats: nothing is rounded
# and nothing is faster, and DYNAMIC_QUANTIZATION_GROUP_SIZE still reads back as it was set. 2^64 - 1 cannot be given from
# Python at all. In a transformer with layers of several widths, one group size for all can so leave some of them out.
# Fails if that changes; ends with a sentence on processors without VNNI. Needs Python 3 and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check openvino==2026.4.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as op

INPUTS = 256
core = ov.Core()
print("OpenVINO", ov.__version__)
if "vnni" not in Path("/proc/cpuinfo").read_text():
    raise SystemExit("This processor has no VNNI, so nothing can be seen here.")


def error(options):
    """Return how far a layer with int8 weights is from the product with these weights, and the group size that it reports."""
    random = np.random.default_rng(0)
    weights = random.integers(-127, 128, (128, INPUTS), dtype=np.int8)
    step = np.full((128, 1), 0.01, np.float32)
    given = op.parameter([1, 64, INPUTS], np.float32)
    back = op.multiply(op.convert(op.constant(weights), np.float32), op.constant(step))
    model = ov.Model([op.matmul(given, back, False, True)], [given])
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", **options})
    inputs = random.normal(0, 1, (1, 64, INPUTS)).astype(np.float32)
    exact = inputs @ (weights * step).T
    off = np.sqrt(np.mean((compiled([inputs])[0] - exact) ** 2)) / exact.std()
    return round(float(off), 4), compiled.get_property("DYNAMIC_QUANTIZATION_GROUP_SIZE")


print("by default:", error({}))
assert error({})[0] > 0.003 and error({})[1] == 32
assert error({"DYNAMIC_QUANTIZATION_GROUP_SIZE": 0})[0] == 0.0
accurate = error({"EXECUTION_MODE_HINT": "ACCURACY"})
print("for accuracy:", accurate)
assert accurate[0] == 0.0
for group, is_rounded in ((32, True), (96, True), (INPUTS, True), (100, False), (INPUTS + 16, False), (1024, False)):
    found, reported = error({"DYNAMIC_QUANTIZATION_GROUP_SIZE": group})
    print(f"group {group} of {INPUTS} inputs: off by {found}, reported {reported}")
    assert (found > 0.003) == is_rounded and reported == group
try:
    error({"DYNAMIC_QUANTIZATION_GROUP_SIZE": 2**64 - 1})
except Exception as refused:
    print("2^64 - 1:", type(refused).__name__, str(refused).split("(")[0].strip())
else:
    raise SystemExit("2^64 - 1 is taken now")
PYTHON
