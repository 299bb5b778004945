"""Random weights for networks whose weights are unavailable; they run at the same speed."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.tiled_clips import tiled_video
from recognizer import weights
from recognizer.analysis.file import analyze
from recognizer.classifier_specs import spec_of
from recognizer.networks.classifiers.architecture import build
from recognizer.networks.classifiers.checkpoint import read_tensors
from recognizer.networks.classifiers.clip_input import Normalise, clip_pictures
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.networks.loading import Models, load_detector, network_path
from recognizer.settings import CLASSIFIER_NAMES, Settings
from recognizer.types import CROP_SIZE_PX, Clip, Prediction

SPREAD = 3.0
"""Standard deviation of a clip's scores, about that of I3D on real clips."""

RUNNER_UP = 0.042
"""How likely the second label is, as a share of the first: the median of I3D with its published weights over the 21
clips of the tiled video (720p, four people, 2 s, documented settings)."""

APART = {
    "s3d": 5.4,
    "r3d_18": 1.7,
    "mc3_18": 2.1,
    "r2plus1d_18": 1.5,
    "mvit_v1_b": 7.5,
    "mvit_v2_s": 3.2,
    "swin3d_t": 5.4,
    "swin3d_s": 3.6,
    "swin3d_b": 2.4,
}
"""By what to multiply the last layer so that this median is the same with random weights, where it is 0.1 to 0.7: a
trained network has a few high scores where a random one has the end of a bell curve. Measured by ``main``."""


def with_random_weights(settings: Settings, folder: Path, times: float = 1.0) -> Settings:
    """Write a checkpoint of seeded random weights to ``folder``; return the settings with it.

    Args:
        settings: name the classifier.
        folder: gets the checkpoint and its labels.
        times: multiplies the last layer, see ``APART``.
    """
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
        weight.mul_(times)
    checkpoint, labels = folder / f"{spec.name}-random.pth", folder / "labels.txt"
    torch.save(network.state_dict(), checkpoint)
    labels.write_text("\n".join(KINETICS400_LABELS), encoding="utf-8")
    return replace(settings, checkpoint_path=str(checkpoint), labels_path=str(labels))


def gap(settings: Settings, checkpoint: Path, clips: Sequence[NDArray[np.uint8]]) -> float:
    """Return by how much the best score exceeds the second: the median over clips, uint8 (N, S, S, 3) each."""
    spec = spec_of(settings.video_classifier_model)
    network = build(spec, len(KINETICS400_LABELS)).eval()
    network.load_state_dict(read_tensors(checkpoint))
    gaps: list[float] = []
    with torch.inference_mode():
        for clip in clips:
            x = Normalise(spec)(clip_pictures([clip], spec.length.network_length(len(clip)))).contiguous()
            best, second = network(x)[0].topk(2).values.tolist()
            gaps.append(best - second)
    return median(gaps)


def shown_clips(path: Path, settings: Settings) -> list[NDArray[np.uint8]]:
    """Return what a classifier is shown of a video; nothing is classified."""

    class Shown:
        name, labels = settings.video_classifier_model, ("",)

        def __init__(self) -> None:
            self.clips: list[NDArray[np.uint8]] = []

        def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
            self.clips.extend(clip.stacked().rgb for clip in clips)
            return [Prediction(clip.person_id, clip.start_s, clip.end_s, (("", 1.0),), self.name) for clip in clips]

        def warm_up(self, samples: int) -> None:
            pass

    shown = Shown()
    analyze(path, settings, models=Models(load_detector(settings)[0], shown, {}))
    return shown.clips


def main() -> None:
    """Print ``APART``."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "clips"
    with tempfile.TemporaryDirectory() as scratch:
        clips = shown_clips(tiled_video(folder, 4, 2.0, Path(scratch)), Settings())
        for name in CLASSIFIER_NAMES:
            if name == "i3d":
                apart = gap(Settings(video_classifier_model=name), network_path(name, weights.resolve(name)), clips)
                print(f'"i3d": second label {math.exp(-apart):.3f} of the first', flush=True)
                continue
            settings = with_random_weights(Settings(video_classifier_model=name), Path(scratch))
            apart = gap(settings, Path(str(settings.checkpoint_path)), clips)
            print(f'"{name}": {-math.log(RUNNER_UP) / apart:.2g},  # {math.exp(-apart):.2f}', flush=True)


if __name__ == "__main__":
    main()
