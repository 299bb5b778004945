"""Random weights for networks whose weights are unavailable; they run at the same speed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from recognizer.classifier_specs import spec_of
from recognizer.networks.classifiers.architecture import build
from recognizer.networks.classifiers.clip_input import Normalise, clip_pictures
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.settings import Settings
from recognizer.types import CROP_SIZE_PX

SPREAD = 3.0
"""Standard deviation of a clip's scores, about that of I3D on real clips."""


def with_random_weights(settings: Settings, folder: Path) -> Settings:
    """Write a checkpoint of seeded random weights to ``folder``; return the settings with it."""
    spec = spec_of(settings.video_classifier_model)
    torch.manual_seed(0)
    network = build(spec, len(KINETICS400_LABELS)).eval()
    head = network.get_submodule(spec.head)
    weight, bias = head.get_parameter("weight"), head.get_parameter("bias")
    shape = (spec.length.minimum, CROP_SIZE_PX, CROP_SIZE_PX, 3)
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with torch.no_grad():
        for layer in network.modules():
            # with torchvision's initialization, the signal fades and every clip gets the same two labels
            if isinstance(layer, nn.Conv3d):
                layer.weight.mul_((2 / layer.weight[0].numel()) ** 0.5 / layer.weight.std())
        # spread the scores as a trained network does: similar scores would make every clip a close call
        bias.zero_()
        weight.mul_(SPREAD / network(Normalise(spec)(clip_pictures([noise], spec.length.minimum)).contiguous()).std())
    checkpoint, labels = folder / f"{spec.name}-random.pth", folder / "labels.txt"
    torch.save(network.state_dict(), checkpoint)
    labels.write_text("\n".join(KINETICS400_LABELS), encoding="utf-8")
    return replace(settings, checkpoint_path=str(checkpoint), labels_path=str(labels))
