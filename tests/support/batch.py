"""Batches without real networks: small videos, stand-ins for the networks, and an executor in this process."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av

from recognizer.batch.driver import Request, Summary, Watch, run_batch
from recognizer.batch.local import Executor
from recognizer.batch.messages import Began, Outcome, Report, Task
from recognizer.batch.recipe import Recipe
from recognizer.batch.results import BatchFolder
from recognizer.batch.work import Networks, work
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.types import Clip
from tests.support.fakes import Answer, always, numbered_picture, person, scripted_models

RECIPE = Recipe(
    own={
        "video_classifier_model": "i3d",
        "num_video_sequence_samples": 4,
        "skip_frame": 1,
        "keep_features": False,
    }
)

FRAMES = 12


def small_video(path: Path, frames: int = FRAMES) -> Path:
    """Write a lossless video of numbered pictures; each number of frames has other bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _says(clip: Clip) -> Answer:
    """Answer by the bytes of the clip."""
    share = zlib.crc32(clip.rgb.tobytes()) / 2**32
    return ("waving", 0.5 + share / 2), ("jogging", 0.5 - share / 2)


class ScriptedNetworks:
    """Gives stand-ins for the networks, and counts for whom."""

    def __init__(self) -> None:
        self.asked: list[Settings] = []

    def get(self, settings: Settings) -> Models:
        self.asked.append(settings)
        return scripted_models(always(person()), _says)


class Serial:
    """An executor that analyzes one video after the other in this process.

    Args:
        networks: where networks come from.
        before: called with each task; may raise, or return what came of the video.
    """

    def __init__(
        self, networks: Networks | None = None, before: Callable[[Task], Outcome | None] = lambda _: None
    ) -> None:
        self._networks = networks or ScriptedNetworks()
        self._before = before
        self.given: list[Task] = []

    def run(self, tasks: Iterator[Task]) -> Iterator[Report]:
        for task in tasks:
            self.given.append(task)
            yield Began(task.number)
            yield self._before(task) or work(task, self._networks)


class Told:
    """Keeps the sentences of a batch."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    @property
    def watch(self) -> Watch:
        return Watch(complain=self.sentences.append)


def run_serially(
    *sources: Path | str, out: Path, executor: Executor | None = None, told: Told | None = None, **options: object
) -> Summary:
    """Run a batch in this process."""
    values = {"recipe": RECIPE, "usable_classifier": lambda: "i3d", **options}
    request = Request(tuple(map(str, sources)), out, **values)  # type: ignore[arg-type]
    chosen = executor or Serial()
    return run_batch(request, lambda _folder, _waiting: chosen, (told or Told()).watch)


def results_of(out: Path) -> dict[str, bytes]:
    """Return everything below ``videos`` and ``data`` by its path: what does not depend on how a batch went."""
    folders = (BatchFolder(out).root / "videos", BatchFolder(out).data)
    files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files}
