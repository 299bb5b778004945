"""Networks whose weights cannot be had: with random ones, they are as fast."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from recognizer.classifiers.catalogue import spec_of
from recognizer.settings import Settings


def with_random_weights(settings: Settings, folder: Path) -> Settings:
    """The same settings with a checkpoint of seeded random weights, which is written to ``folder``."""
    spec = spec_of(settings.video_classifier_model)
    torch.manual_seed(0)
    checkpoint, labels = folder / f"{spec.name}-random.pth", folder / "labels.txt"
    torch.save(spec.build(len(spec.labels)).state_dict(), checkpoint)
    labels.write_text("\n".join(spec.labels), encoding="utf-8")
    return replace(settings, checkpoint_path=str(checkpoint), labels_path=str(labels))
