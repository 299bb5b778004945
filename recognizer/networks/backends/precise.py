"""Keep a part of a network in float32 while OpenVINO computes the rest in a format that rounds more.

OpenVINO's CPU plugin leaves an operation in its own format where the attribute ``precise`` says so. Python can set it
only in the text of a stored network (OpenVINO 2026.4.1).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

_CONVOLUTIONS: Final = ("Convolution", "GroupConvolution")


def keep_in_float32(openvino: Any, model: Any, part: str) -> Any:
    """Return a copy of a converted network that computes a part, and all that follows from it, in float32.

    Args:
        openvino: the library.
        model: the converted network, ``openvino.Model``.
        part: name of a submodule in PyTorch, such as ``model.23``; it begins with its convolutions.
    """
    names = _following(model, f"{part}.")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.xml"
        openvino.save_model(model, path, compress_to_fp16=False)
        tree = ET.parse(path)  # noqa: S314 - OpenVINO has just written it
        for layer in tree.iter("layer"):
            if layer.get("name") in names:
                facts = layer.find("rt_info")
                facts = ET.SubElement(layer, "rt_info") if facts is None else facts
                ET.SubElement(facts, "attribute", {"name": "precise", "version": "0"})
        return openvino.Core().read_model(ET.tostring(tree.getroot()), path.with_suffix(".bin").read_bytes())


def _following(model: Any, part: str) -> set[str]:
    """Return the names of a part's convolutions and of all operations after them."""
    names: set[str] = set()
    for operation in model.get_ordered_ops():
        name = operation.get_friendly_name()
        begins = operation.get_type_name() in _CONVOLUTIONS and part in name
        sources = (one.get_source_output().get_node().get_friendly_name() for one in operation.inputs())
        if begins or any(source in names for source in sources):
            names.add(name)
    return names
