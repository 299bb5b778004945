"""Sample videos for trying out the program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recognizer.errors import WeightsError
from recognizer.weights.cache import cache_dir
from recognizer.weights.published import ArchiveMember, Progress, PublishedFile
from recognizer.weights.resolver import here, named_folder, obtain


@dataclass(frozen=True)
class SampleVideo:
    """A downloaded sample.

    Attributes:
        path: the verified file.
        title: describes what it shows.
        licence: SPDX name.
        source: its author and origin, for the credit line.
    """

    path: Path
    title: str
    licence: str
    source: str


@dataclass(frozen=True)
class _Sample:
    title: str
    source: str
    file: PublishedFile


_SAMPLES = (
    _Sample(
        title="One person after another walks through a room",
        source="Intel sample-videos, one-by-one-person-detection.mp4",
        file=PublishedFile(
            name="sample video",
            kind="video",
            file_name="one-by-one-person-detection.mp4",
            licence="CC-BY-4.0",
            sha256="a5964aa259099a482a8b360ffc2c57b5a30f84d5919236a4dad01f8e929ac07c",
            official_url="https://github.com/intel-iot-devkit/sample-videos/raw/master/one-by-one-person-detection.mp4",
        ),
    ),
    _Sample(
        title="People walk past, in the demonstration clip of Sports2D",
        source="Sports2D 0.8.34, Demo/demo.mp4",
        file=PublishedFile(
            name="sample video",
            kind="video",
            file_name="sports2d-demo.mp4",
            licence="BSD-3-Clause",
            sha256="d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
            size_bytes=3_968_304,
            mirrors=(ArchiveMember("sports2d==0.8.34", "Sports2D/Demo/demo.mp4"),),
        ),
    ),
)


def sample_video(progress: Progress | None = None) -> SampleVideo:
    """Return a local sample video if there is one, else download the first one that is reachable.

    Raises:
        WeightsError: none is available.
    """
    named_folder()
    reasons: list[str] = []
    # prefer a local one to a download
    for sample in sorted(_SAMPLES, key=lambda sample: here(sample.file) is None):
        try:
            path = obtain(sample.file, progress=progress)
        except WeightsError as failure:
            reasons.append(str(failure))
            continue
        return SampleVideo(path, sample.title, sample.file.licence, sample.source)
    names = " or ".join(f"{sample.file.file_name} ({sample.file.hash_text})" for sample in _SAMPLES)
    error = WeightsError(
        f"No sample video is available; use a video of your own, or put {names} into the folder '{cache_dir()}'."
    )
    for reason in reasons:
        error.add_note(reason)
    raise error
