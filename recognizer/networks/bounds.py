"""Bounds for the difference from PyTorch's float32 outputs. Quick to import: ``doctor --help`` shows them."""

from __future__ import annotations

CLASSIFIER_BOUND = 0.05
"""A way of running a classifier is rejected if its scores differ by more than this share of their spread (root mean
squares). Rounding to bfloat16 causes a difference of about 0.01, and int8 one of 0.026 for I3D, on the clip of moving
blobs that is measured; on real clips, int8 causes 0.05 (docs/decisions/096-int8.md). Where clips are shorter than the
measured one, twice its difference must be within the bound (docs/decisions/117-mixed-precision-for-short-clips.md)."""

DETECTOR_BOUND_PX = 0.3
"""A way of running the detector is rejected if its boxes of drawn people differ by more than this: the furthest side,
at the 95th percentile of the places that see somebody, in pixels of the network's input. Rounding the whole network to
bfloat16 causes 0.5; with its head in float32, 0.15 (docs/decisions/099-the-detector-in-bfloat16.md)."""
