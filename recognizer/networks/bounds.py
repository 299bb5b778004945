"""How far a faster way of running a network may differ from PyTorch in float32. Quick to import, for ``--help``."""

from __future__ import annotations

CLASSIFIER_BOUND = 0.05
"""A way of running a classifier is rejected if its scores differ by more than this share of their spread (root mean
squares). Rounding to bfloat16 causes a difference of about 0.02."""

DETECTOR_BOUND_PX = 0.5
"""A way of running a detector is rejected if its boxes on a noise picture differ by more than this at the 95th
percentile, in pixels of the picture that the network sees. Rounding to bfloat16 causes 1.5: no person is lost, but
every crop moves a little, and that alone gave a real clip another label (docs/performance.md)."""
