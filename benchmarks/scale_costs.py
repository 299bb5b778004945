"""What each stage of a batch costs on one core, measured; ``benchmarks.scale`` reckons with it.

Two people are tiled from the shared clips into 720p videos. Each stage runs alone, one after the other, in one thread,
and its processor time counts. What waits for a disk is measured by the clock.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
import psutil

ROWS: Final = 20_000
RESULTS: Final = 200
TASKS: Final = 2_000
PENDING: Final = 1_000
_HASHED_BYTES: Final = 200_000_000

PEOPLE: Final = 2
_OF_PICTURES: Final = ("decode", "detect")
_OF_PEOPLE: Final = ("classify", "crop, follow, stitch", "write")
STAGES: Final = (*_OF_PICTURES, *_OF_PEOPLE)
"""Work on pictures does not depend on who is in them; all other work is for people, as are the bytes of results."""


class Costs(msgspec.Struct, frozen=True):
    """Seconds on one core, and bytes.

    Attributes:
        machine: what was measured.
        minute_s: by stage, per minute of video, whoever is in it.
        person_minute_s: by stage, per minute of video and person in it.
        video_s: per video whatever its length: its networks warm, its files opened and written.
        start_s: a worker's start: libraries and networks.
        hash_s: per GB of video.
        result_bytes, person_minute_bytes: of a result whatever its length, and per minute of video and person in it.
        result_files: files and folders of a result.
        list_s, check_s, due_s, table_s: the driver, per row of the manifest: taken over, its result looked up, given,
            written as CSV.
        record_s: the driver, per video, by the clock: a transaction on the disk.
        row_bytes: of the manifest.
        gather_s: the driver, per video: its rows are brought into the data set.
        task_s: the driver, per task on Ray. head_s: Ray's own processes on the head node.
        wait_s: the driver, per video and actor: Ray looks through all that is in work.
    """

    machine: str
    minute_s: dict[str, float]
    person_minute_s: dict[str, float]
    video_s: float
    start_s: float
    hash_s: float
    result_bytes: float
    person_minute_bytes: float
    result_files: int
    list_s: float
    check_s: float
    due_s: float
    table_s: float
    record_s: float
    row_bytes: float
    gather_s: float
    task_s: float
    head_s: float
    wait_s: float


class _Analyzed(msgspec.Struct):
    """What one video took."""

    minutes: float
    took_s: dict[str, float]
    result: Path

    @property
    def bytes(self) -> int:
        """Bytes of its result."""
        return sum(path.stat().st_size for path in self.result.iterdir())


def limit_threads() -> None:
    """Let this process use one thread; call it before anything is imported that computes."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    os.environ["RECOGNIZER_DECODER"] = "inline"
    import cv2

    from recognizer.networks.backends import openvino

    cv2.setNumThreads(1)
    openvino.use_threads(1)


def measure(clips: Path, scratch: Path) -> Costs:
    """Measure everything in this process, of which ``limit_threads`` was asked before."""
    short, long = (_analyzed(clips, scratch, seconds) for seconds in (4.0, 12.0))
    minutes = long.minutes - short.minutes
    # what a longer video takes more; the rest belongs to any video
    grown_s = {stage: max(0.0, long.took_s[stage] - short.took_s[stage]) / minutes for stage in STAGES}
    video_s = sum(short.took_s.values()) - sum(grown_s.values()) * short.minutes
    grown_bytes = (long.bytes - short.bytes) / minutes
    return Costs(
        machine=_machine(),
        minute_s={stage: grown_s[stage] for stage in _OF_PICTURES},
        person_minute_s={stage: grown_s[stage] / PEOPLE for stage in _OF_PEOPLE},
        video_s=max(0.0, video_s),
        start_s=_start_s(),
        hash_s=_hash_s(scratch),
        result_bytes=max(0.0, short.bytes - grown_bytes * short.minutes),
        person_minute_bytes=grown_bytes / PEOPLE,
        result_files=1 + len(list(long.result.iterdir())),
        **_manifest(scratch, long.result),
        **_ray(),
    )


def _settings() -> Any:
    from recognizer.batch.recipe import Recipe

    return Recipe(preset="recommended", own={"video_classifier_model": "i3d"})


def _analyzed(clips: Path, scratch: Path, seconds: float) -> _Analyzed:
    """Analyze a tiled video, then let each stage work alone on what it got."""
    from benchmarks.throughput_sides import TimedClassifier
    from benchmarks.tiled_clips import RATE, tiled_video
    from recognizer.analysis.file import analyze
    from recognizer.analysis.file_pass import frames_per_detection
    from recognizer.batch.results import BatchFolder, write_result
    from recognizer.clips.sampling import SampleClock
    from recognizer.networks.loading import Models, load_models
    from recognizer.video import open_video

    recipe = _settings()
    settings = recipe.settings_at(float(RATE))
    models = load_models(settings)
    path = tiled_video(clips, PEOPLE, seconds, scratch)
    classifier = TimedClassifier(models.classifier)
    timed = Models(models.detector, classifier, models.provenance)
    analyze(path, settings, models=timed)  # the networks are warm
    classifier.kept = []
    took_s: dict[str, float] = {}
    with _taking(took_s, "all"):
        timeline = analyze(path, settings, models=timed)
    clips_kept = classifier.kept
    with open_video(path, sha256="0" * 64) as reader, _taking(took_s, "decode"):
        clock = SampleClock(settings.sample_interval_s(float(RATE)), 1 / float(RATE))
        frames = list(reader.frames(lambda _, time_s: clock.take_sample(time_s)))
    at_once = frames_per_detection(settings)
    with _taking(took_s, "detect"):
        for start in range(0, len(frames), at_once):
            models.detector.detect([frame.rgb for frame in frames[start : start + at_once]])
    with _taking(took_s, "classify"):
        models.classifier.classify(clips_kept)
    networks_s = took_s["decode"] + took_s["detect"] + took_s["classify"]
    took_s["crop, follow, stitch"] = max(0.0, took_s.pop("all") - networks_s)
    folder, key = BatchFolder(scratch / "results"), uuid.uuid4().hex
    folder.make()
    write_result(folder, uuid.uuid4().hex, timeline, recipe)  # the libraries are loaded
    with _taking(took_s, "write"):
        write_result(folder, key, timeline, recipe)
    print(
        f"{PEOPLE} people, {seconds:g} s of video: " + ", ".join(f"{k} {v:.2f} s" for k, v in took_s.items()),
        flush=True,
    )
    return _Analyzed(seconds / 60, took_s, folder.result(key))


@contextmanager
def _taking(took_s: dict[str, float], name: str) -> Iterator[None]:
    gc.collect()
    began_s = time.process_time()
    yield
    took_s[name] = time.process_time() - began_s


def _start_s() -> float:
    """Return the processor time until a new process has the networks, once they are compiled."""
    program = "from benchmarks.scale_costs import load; load()"
    times_s = []
    for _ in range(2):
        before = os.times()
        subprocess.run([sys.executable, "-c", program], check=True)
        after = os.times()
        times_s.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(times_s)


def load() -> None:
    """Load the networks as a worker does."""
    limit_threads()
    from recognizer.networks.loading import load_models

    load_models(_settings().settings_at(30.0))


def _hash_s(scratch: Path) -> float:
    from recognizer.weights import file_sha256

    path = scratch / "hashed"
    path.write_bytes(os.urandom(_HASHED_BYTES))
    took_s = _processor_s(lambda: file_sha256(path))
    path.unlink()
    return took_s / _HASHED_BYTES * 1e9


def _processor_s(work: Callable[[], object]) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def _manifest(scratch: Path, result: Path) -> dict[str, float]:
    """Measure the driver without workers, on rows that it really writes and on copies of a real result."""
    from recognizer.batch.dataset import gather
    from recognizer.batch.manifest import Manifest
    from recognizer.batch.messages import Outcome
    from recognizer.batch.results import BatchFolder
    from recognizer.batch.sources import Entry

    folder, recipe = BatchFolder(scratch / "driver"), _settings()
    folder.make()
    names = [f"{number:032x}"[::-1] for number in range(ROWS)]
    for name in names[:RESULTS]:
        shutil.copytree(result, folder.result(name))
    places = [f"/recordings/camera {number % 40}/{number:08}.mp4" for number in range(ROWS)]
    entries = [Entry(place, recipe, Path(place).name, "group", 300_000_000, "1764000000") for place in places]
    with Manifest(folder.manifest) as manifest:
        list_s = _processor_s(lambda: manifest.list(entries, retry=False))
        due: list[Any] = []
        due_s = _processor_s(lambda: due.extend(manifest.due()))
        recorded_s = []
        for one, name in zip(due[:RESULTS], names, strict=False):
            began_s = time.perf_counter()
            manifest.record(Outcome(one.number, "done", name, "0" * 64, 600.0, 700.0, 3, 90))
            recorded_s.append(time.perf_counter() - began_s)
        check_s = _processor_s(lambda: manifest.check_results(folder.has_result))
        gather_s = _processor_s(lambda: gather(folder, manifest))
        table_s = _processor_s(lambda: manifest.write_table(folder.table))
    return {
        "list_s": list_s / ROWS,
        "due_s": due_s / ROWS,
        "record_s": median(recorded_s),
        "check_s": check_s / RESULTS,
        "gather_s": gather_s / RESULTS,
        "table_s": table_s / ROWS,
        "row_bytes": folder.manifest.stat().st_size / ROWS,
    }


class _Idle:
    """An actor that does nothing with a video."""

    def work(self, task: bytes) -> bytes:
        return task

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def _ray() -> dict[str, float]:
    """Measure what Ray takes for a task of the size of a video's, in this process and in its own."""
    import ray

    task = b"x" * 600
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        actor = ray.remote(num_cpus=0)(_Idle)
        idle, busy = actor.remote(), actor.remote()
        ray.get(idle.work.remote(task))

        def give() -> None:
            for _ in range(TASKS):
                ray.wait([idle.work.remote(task)], num_returns=1, timeout=0.5)

        servers = [one for one in psutil.Process().children(recursive=True) if one.name() in ("gcs_server", "raylet")]
        before_s = sum(map(_spent_s, servers))
        task_s = _processor_s(give) / TASKS
        head_s = (sum(map(_spent_s, servers)) - before_s) / TASKS
        pending = [busy.wait.remote(600.0) for _ in range(PENDING)]
        waits = 200
        wait_s = _processor_s(lambda: [ray.wait(pending, num_returns=1, timeout=0) for _ in range(waits)]) / waits
    finally:
        ray.shutdown()
    return {"task_s": task_s, "head_s": head_s, "wait_s": wait_s / PENDING}


def _spent_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _machine() -> str:
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    name = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "unknown")
    return f"one core of {name}; i3d and yolo26n, preset recommended, 720p"
