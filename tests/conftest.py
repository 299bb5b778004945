"""Fixtures that several tests share: the real clips, and a factory of small synthetic videos."""

from __future__ import annotations

import gc
import os
from asyncio import _get_running_loop
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.support import coverage  # before anything of the project is imported
from tests.support.environment import SHARED_CLIPS, all_required, skip_or_fail

if "PYTEST_XDIST_WORKER" in os.environ:  # read once, when PyTorch is loaded; the workers share the processor
    _CORES_EACH = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, _CORES_EACH)))

import recognizer  # noqa: F401 - before any test imports torch: it decides how PyTorch's threads wait
from recognizer import memory
from recognizer.limits import LIMIT_PREFIX, limits
from recognizer.networks.cache import ModelCache

settings.register_profile("busy", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("busy")

_counted: list[str] = []
"""In the controller: what each worker counted."""

_TOGETHER = {"tests/analysis/test_movement_real.py": "tests/analysis/test_identities_real.py"}
"""Files that share what a session's fixture makes, with the file next to whose tests they run."""


class _WorkerPerFile(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist publishes no types
    """Assigns the tests of a file to one worker, so that they share its fixtures, and all browser tests to one worker.

    pytest-xdist's own groups (``--dist loadgroup``) have no effect with pytest 9.2, which ignores the changed node id.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "browser" if file.startswith("tests/browser/") else _TOGETHER.get(file, file)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send what a worker counted to its controller."""
    if coverage.COUNTERS is not None:
        session.config.workeroutput["coverage"] = coverage.counted(coverage.COUNTERS)  # type: ignore[attr-defined]  # xdist's


def pytest_testnodedown(node: Any) -> None:
    """Keep what a worker counted."""
    if (counted := getattr(node, "workeroutput", {}).get("coverage")) is not None:
        _counted.append(counted)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print which lines and branches the tests leave out, if workers counted them."""
    if _counted:
        terminalreporter.section("coverage")
        for line in coverage.table(_counted):
            terminalreporter.write_line(line)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _WorkerPerFile:
    return _WorkerPerFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests, so that no worker is left alone with them at the end."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("browser", "real")])


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Refuse to leave tests out in CI; pytest's closing line does not count them when workers run the tests."""
    if all_required():
        raise pytest.UsageError(f"{len(items)} tests were deselected; every test has to run here")


@pytest.fixture(autouse=True)
def _priority_stays() -> Iterator[None]:
    """No test leaves its worker with another priority, which would starve the other worker's tests and servers."""
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    before = os.sched_getscheduler(0)
    yield
    assert os.sched_getscheduler(0) == before, "a library changed this thread's priority; see tests/support/priority.py"


@pytest.fixture(autouse=True)
def _no_event_loop_runs(request: pytest.FixtureRequest) -> None:
    """No event loop is left running in the thread of the tests, where ``asyncio.run`` would fail in whichever tests the
    same worker happens to run next."""
    if not request.node.get_closest_marker("browser"):  # Playwright's runs there
        assert _get_running_loop() is None, "an earlier test left an event loop running in this thread"


@pytest.fixture(scope="session", autouse=True)
def _nothing_exempt() -> Iterator[None]:
    """A server exempts its first objects from garbage collection once. Here, many servers begin in one process, and
    each would first look through everything that is loaded, for a quarter of a second. What was imported is exempt."""
    gc.collect()
    gc.freeze()
    with pytest.MonkeyPatch.context() as patch:
        names = ("collect", "freeze", "unfreeze", "disable", "enable", "isenabled", "set_threshold")
        nothing = dict.fromkeys(names, lambda *_given: None)
        patch.setattr(memory, "gc", SimpleNamespace(**nothing))
        yield
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def _few_threads() -> None:
    """Let OpenVINO, like PyTorch, use a worker's share of the cores: threads that wait for each other on a busy core
    cost processor time, a third more for each detection. Servers that tests start are not affected."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    from recognizer.networks.backends import openvino  # slow to import; the workers' controller runs no network

    openvino.use_threads(int(os.environ["OMP_NUM_THREADS"]))


@pytest.fixture
def set_limits() -> Iterator[Callable[..., None]]:
    """Sets limits of this server by their names, for one test."""
    with pytest.MonkeyPatch.context() as patch:

        def set_them(**values: object) -> None:
            for name, value in values.items():
                text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value).lower()
                patch.setenv(f"{LIMIT_PREFIX}{name.upper()}", text)
            limits.cache_clear()

        yield set_them
    limits.cache_clear()  # not before the environment is as it was, since another thread may read it at once


@pytest.fixture(scope="session")
def clips_dir() -> Path:
    """The folder of real clips with known actions, which is not part of the repository."""
    if not SHARED_CLIPS.is_dir():
        skip_or_fail("the real clips are not here; put them into ../shared/clips")
    return SHARED_CLIPS


@pytest.fixture(scope="session")
def networks() -> ModelCache:
    """The real networks; each is loaded once per worker."""
    return ModelCache()


@pytest.fixture
def make_video(tmp_path: Path) -> Callable[..., Path]:
    """Write a small video: ``make_video("a.mp4", frames=30, fps=30, size=(64, 48), times_s=None, codec="libx264")``.

    ``frames`` is a number (frame k is a grey that grows with k) or an iterable of uint8 (H, W, 3) arrays;
    ``times_s`` gives each frame its own presentation time.
    """

    def make(
        name: str = "video.mp4",
        *,
        frames: int | Iterable[np.ndarray] = 30,
        fps: int | Fraction = 30,
        size: tuple[int, int] = (64, 48),
        times_s: Iterable[float] | None = None,
        codec: str = "libx264",
        pix_fmt: str = "yuv420p",
        **container_options: Any,
    ) -> Path:
        path = tmp_path / name
        pictures = (
            [np.full((size[1], size[0], 3), k * 5 % 256, np.uint8) for k in range(frames)]
            if isinstance(frames, int)
            else list(frames)
        )
        time_base = Fraction(1, 90000)
        times = list(times_s) if times_s is not None else [float(k / Fraction(fps)) for k in range(len(pictures))]
        with av.open(str(path), "w", **container_options) as container:
            stream = container.add_stream(codec, rate=fps)
            stream.width, stream.height = pictures[0].shape[1], pictures[0].shape[0]
            stream.pix_fmt = pix_fmt
            stream.codec_context.time_base = time_base
            for picture, time_s in zip(pictures, times, strict=True):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = round(time_s / time_base), time_base
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return path

    return make
