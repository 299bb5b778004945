#!/usr/bin/env bash
# OpenVINO 2026.4.1, CPU, Python: a mark that keeps an operation in float32 counts only if it comes from the IR's text.
# With INFERENCE_PRECISION_HINT=bf16 the CPU plugin leaves an operation in float32 if it carries OpenVINO's runtime
# attribute `precise`, version 0 (ov::DisablePrecisionConversion). Python shows that attribute of a model that was read as
# "DisablePrecisionConversion_0" in `node.get_rt_info()`, a dictionary that can be written to. But a mark written there is
# kept and ignored: with "precise_0" = "" the model compiles without a word, and the convolution runs in bfloat16.
# The same attribute as <attribute name="precise" version="0"/> in the XML of the same model works.
# Somebody who keeps the sensitive end of a network in float32 from Python measures no gain and no loss, and finds no error.
# Fails if that changes; ends with a sentence on processors without bfloat16. Needs Python 3 and a package index.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check openvino==2026.4.1 numpy==2.4.6
cd "$folder"
venv/bin/python - <<'PYTHON'
import xml.etree.ElementTree as ET

import numpy as np
import openvino as ov
from openvino import opset13 as op

core = ov.Core()
print("OpenVINO", ov.__version__)
if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
    raise SystemExit("This processor has no bfloat16, so nothing can be seen here.")


def network():
    """Two convolutions, "first" and "last"."""
    random = np.random.default_rng(0)
    picture = op.parameter([1, 16, 32, 32], np.float32)
    one = picture
    for name in ("first", "last"):
        weights = op.constant(random.normal(0, 0.1, (16, 16, 3, 3)).astype(np.float32))
        one = op.convolution(one, weights, [1, 1], [1, 1], [1, 1], [1, 1])
        one.set_friendly_name(name)
    return ov.Model([one], [picture])


def formats(model):
    """Return the number format that each convolution runs in."""
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})
    found = {}
    for each in compiled.get_runtime_model().get_ordered_ops():
        info = each.get_rt_info()
        if info["layerType"].astype(str) == "Convolution":
            found[each.get_friendly_name()] = info["runtimePrecision"].astype(str)
    return found


def marked_in_text():
    """Write the network, mark "last" in its XML, read it again."""
    ov.save_model(network(), "network.xml", compress_to_fp16=False)
    tree = ET.parse("network.xml")
    (layer,) = (one for one in tree.iter("layer") if one.get("name") == "last")
    facts = layer.find("rt_info")
    facts = ET.SubElement(layer, "rt_info") if facts is None else facts
    ET.SubElement(facts, "attribute", {"name": "precise", "version": "0"})
    tree.write("network.xml")
    model = core.read_model("network.xml")
    (last,) = (one for one in model.get_ordered_ops() if one.get_friendly_name() == "last")
    assert "DisablePrecisionConversion_0" in last.get_rt_info()
    return model


def marked_in_python():
    """Mark "last" in the network itself."""
    model = network()
    (last,) = (one for one in model.get_ordered_ops() if one.get_friendly_name() == "last")
    last.get_rt_info()["precise_0"] = ""
    assert "precise_0" in last.get_rt_info()
    return model


plain, python, text = formats(network()), formats(marked_in_python()), formats(marked_in_text())
print("without a mark: ", plain)
print("marked in Python:", python)
print("marked in the text:", text)
assert plain == {"first": "bf16", "last": "bf16"}, plain
assert python == plain, python
assert text == {"first": "bf16", "last": "f32"}, text
PYTHON
