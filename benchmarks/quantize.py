"""Make the table of ranges with which a classifier of convolutions runs in int8.

    .venv/bin/python -m benchmarks.quantize CLASSIFIER [VIDEO ...] [--checkpoint FILE --labels FILE] [--publish]

Analyzes the videos with the recommended settings, shows the classifier a few clips of each, and has NNCF find the
largest input of each convolution. The table holds these numbers and no weights. It belongs to one file of weights and
is stored in the cache, where the next start finds it, measures int8 and uses it if that is faster and close enough;
``python -m recognizer doctor CLASSIFIER`` shows it. ``--publish`` writes it into the package instead, for published
weights. Without VIDEO: some of the shared clips; others are left to check the result with. For a checkpoint of your
own, take ten or more videos that resemble those you analyze.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.labels import CLIPS_DIR
from recognizer import weights
from recognizer.analysis.file import analyze
from recognizer.classifier_specs import spec_of
from recognizer.files import staged
from recognizer.networks.backends.int8 import PUBLISHED, ConvolutionRange, Ranges, convolutions_of, sources
from recognizer.networks.backends.openvino import OpenVinoRunner, library
from recognizer.networks.classifiers.clip_input import clip_pictures
from recognizer.networks.classifiers.network import NetworkClassifier
from recognizer.networks.loading import Models, backends, load_clip_classifier, load_detector, network_path
from recognizer.settings import CLASSIFIER_NAMES, Settings, recommended
from recognizer.timeline.model import frame_rate_hz
from recognizer.types import Clip, Prediction
from recognizer.video import open_video

CALIBRATION = (
    "tv_R6llTwEh07w.mp4",
    "decord_flipping_a_pancake.mkv",
    "c11_signlanguage_one_signer_ccby.mp4",
    "mmaction2_structuralize.mp4",
    "openpose_video.avi",
    "moviepy_chaplin.mp4",
    "sam2_bedroom.mp4",
    "tv_WUzgd7C1pWA.mp4",
)
CLIPS_OF_EACH = 3
LEAST_SHARE = 0.75
"""Clips with fewer samples than this share of the recommended number are not classified in int8."""


class _Keeping:
    """Keeps the clips of an analysis and labels none of them."""

    name, labels = "none", ("none",)

    def __init__(self) -> None:
        self.clips: list[Clip] = []

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        self.clips += clips
        return [Prediction(clip.person_id, clip.start_s, clip.end_s, (("none", 1.0),), self.name) for clip in clips]

    def warm_up(self, samples: int) -> None:
        pass


def inputs(videos: Sequence[Path], settings: Settings, frames: int) -> list[NDArray[np.uint8]]:
    """Return what the classifier is shown of some clips of each video: crops and surroundings, (1, frames, S, S, 3)."""
    detector, _ = load_detector(settings)
    found: list[NDArray[np.uint8]] = []
    for path in videos:
        with open_video(path) as reader:
            rate_hz = frame_rate_hz(reader.info)
        keeping = _Keeping()
        analyze(path, recommended(settings, rate_hz), models=Models(detector, keeping))
        count = len(keeping.clips)
        some = np.linspace(0, count - 1, min(count, CLIPS_OF_EACH)).astype(int).tolist()
        for clip in (keeping.clips[k] for k in some):
            found.append(clip_pictures([clip.rgb], frames).numpy())
            if clip.surroundings_rgb is not None:
                found.append(clip_pictures([clip.surroundings_rgb], frames).flip(3).numpy())
        print(f"{path.name}: {len(some)} of {count} clips", flush=True)
    return found


def quantize(model: Any, shown: Sequence[NDArray[np.uint8]]) -> Any:
    """Return a converted network with the ranges that NNCF finds.

    The ranges are the largest values of all inputs, without a correction of biases: with NNCF's default correction,
    I3D gave 17 of 24 clips the same label, without it 24.
    """
    library()  # before NNCF, which would load OpenVINO's usage statistics
    import nncf
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet

    return nncf.quantize(
        model,
        nncf.Dataset(list(shown)),
        preset=nncf.QuantizationPreset.PERFORMANCE,
        subset_size=len(shown),
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            disable_bias_correction=True,
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        ),
    )


def ranges_of(quantized: Any) -> tuple[ConvolutionRange, ...]:
    """Read the ranges of the inputs of all convolutions.

    Those that see a single place of the picture stay in float: they cost nothing, and give scores and features.
    """
    return tuple(_range_of(convolution) for convolution in convolutions_of(quantized))


def _range_of(convolution: Any) -> ConvolutionRange:
    shape = tuple(convolution.input(1).get_shape())
    rounding = [source.get_node() for source in sources(convolution.input_value(0))]
    is_float = any(node.get_type_name() != "FakeQuantize" for node in rounding)
    if is_float or tuple(convolution.input(0).get_shape())[3:] == (1, 1):
        return ConvolutionRange(shape, None)
    ends = [[float(node.input_value(k).get_node().get_data().item()) for k in (1, 2)] for node in rounding]
    largest = max(high for _, high in ends)
    return ConvolutionRange(shape, float(f"{largest:.5g}"), any(low < 0 for low, _ in ends))


def weights_path(settings: Settings) -> Path:
    """Return the file that the network is loaded from."""
    if settings.checkpoint_path is not None:
        return Path(settings.checkpoint_path)
    name = settings.video_classifier_model
    return network_path(name, weights.resolve(name))


def measure(settings: Settings, videos: Sequence[Path]) -> Ranges:
    """Return the ranges of a classifier, measured on videos."""
    spec = spec_of(settings.video_classifier_model)
    frames = spec.frames_fed(spec.recommended_samples)
    classifier, _ = load_clip_classifier(replace(settings, backend="openvino", precision="float32"))
    assert isinstance(classifier, NetworkClassifier)
    assert isinstance(classifier.runner, OpenVinoRunner)
    shown = inputs(videos, settings, frames)
    found = ranges_of(quantize(classifier.runner.converted(torch.from_numpy(shown[0])), shown))
    least = spec.frames_fed(round(LEAST_SHARE * spec.recommended_samples))
    return Ranges(weights.verified_sha256(weights_path(settings)), frames, least, found)


def write(ranges: Ranges, path: Path) -> None:
    """Write a table, one convolution a line."""
    head = {"weights_sha256": ranges.weights_sha256, "frames": ranges.frames, "least_frames": ranges.least_frames}
    lines = ",\n".join(f"  {msgspec.json.encode(one).decode()}" for one in ranges.convolutions)
    fields = ",\n".join(f'"{name}": {msgspec.json.encode(value).decode()}' for name, value in head.items())
    path.parent.mkdir(parents=True, exist_ok=True)
    with staged(path) as part:
        part.write_text(f'{{{fields},\n"convolutions": [\n{lines}\n]}}\n', encoding="utf-8")


def main() -> int:
    """Make one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("classifier", choices=CLASSIFIER_NAMES)
    parser.add_argument("videos", nargs="*", type=Path, metavar="VIDEO")
    parser.add_argument("--checkpoint", help="weights of your own for this network")
    parser.add_argument("--labels", help="the labels of the checkpoint")
    parser.add_argument("--publish", action="store_true", help="write into the package")
    options = parser.parse_args()
    settings = Settings(
        video_classifier_model=options.classifier, checkpoint_path=options.checkpoint, labels_path=options.labels
    )
    if options.publish and settings.checkpoint_path is not None:
        parser.error("a table for a checkpoint of your own is of no use in the package; leave out --publish.")
    ranges = measure(settings, options.videos or [CLIPS_DIR / name for name in CALIBRATION])
    if all(one.largest is None for one in ranges.convolutions):
        print(f"{options.classifier} has no convolutions to run in int8.", file=sys.stderr)
        return 1
    if options.publish:
        path = PUBLISHED / f"{options.classifier}.json"
    else:
        path = backends(settings).special_folder / f"{ranges.weights_sha256}.json"
    write(ranges, path)
    print(f"wrote {path}: {len(ranges.convolutions)} convolutions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
