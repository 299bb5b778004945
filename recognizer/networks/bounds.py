"""How far a network's outputs may differ from PyTorch's in float32. Quick to import: ``doctor --help`` shows them."""

from __future__ import annotations

CLASSIFIER_BOUND = 0.05
"""A way of running a classifier is rejected if its scores differ by more than this share of their spread (root mean
squares). Rounding to bfloat16 causes a difference of about 0.02."""

DETECTOR_BOUND_PX = 0.5
"""A way of running the detector is rejected if its boxes on a noise picture differ by more than this, at the 95th
percentile, in pixels of the network's input. Rounding to bfloat16 makes 1.5: it loses nobody, but moves every crop a
little, which alone gave a real clip another label (docs/performance.md)."""
