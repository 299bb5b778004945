"""Analyze videos on the machines of a Ray cluster: an actor for each core or GPU, each with a worker of its own.

Only tasks and outcomes travel. Videos and the folder of the batch must have the same paths on every machine.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recognizer import processes
from recognizer.batch.local import MOST_DEATHS, Bounds, LocalExecutor, starts_workers
from recognizer.batch.messages import Lines, Outcome, Report, Task, Waited
from recognizer.batch.results import BatchFolder
from recognizer.batch.sizing import WORKER_BYTES
from recognizer.errors import SettingsError, one_line

_LOOK_EVERY_S: Final = 0.5
_ANSWERS_WITHIN_S: Final = 10.0
_RESTARTS: Final = 3
_RETRIES: Final = 3
"""A machine that dies costs its actors a restart on another, and their videos a retry from the last save point."""


@dataclass(frozen=True)
class Plan:
    """The settings that all actors share.

    Attributes:
        root: the folder of the batch.
        threads: of each worker.
        bounds: what a video may take.
        module: runs a worker.
    """

    root: str
    threads: int
    bounds: Bounds
    module: str


class Analyst:
    """An actor: it has one worker's process, which holds the networks, and watches it."""

    def __init__(self, plan: Plan) -> None:
        self._waiting: deque[Task] = deque()
        start = starts_workers(BatchFolder(Path(plan.root)), plan.threads, plan.module)
        self._executor = LocalExecutor(1, start, plan.bounds)
        self._reports: Iterator[Report] | None = None

    def work(self, task: bytes) -> bytes:
        """Analyze one video; task and outcome are lines of JSON."""
        self._waiting.append(Lines(Task).decode(task))
        while True:
            if self._reports is None:
                self._reports = self._executor.run(_Feed(self._waiting))
            for report in self._reports:
                if isinstance(report, Outcome):
                    return Lines.encode(report)
            self._reports = None


class _Feed:
    """Gives what waits; more may come later."""

    def __init__(self, waiting: deque[Task]) -> None:
        self._waiting = waiting

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> Task:
        if not self._waiting:
            raise StopIteration
        return self._waiting.popleft()


@dataclass(frozen=True)
class _Given:
    actor: Any
    task: Task
    given_s: float


class RayExecutor:
    """Runs tasks on a Ray cluster; see ``local.Executor``.

    Args:
        address: of the cluster, as ``ray.init`` takes it: ``auto`` for the one that this machine belongs to.
        folder: of the batch.
        most: how many actors at most; None for as many as the cluster has cores or GPUs.
        bounds: what a video may take.
        module: runs a worker.

    Raises:
        SettingsError: Ray is not installed.
    """

    def __init__(
        self,
        address: str,
        folder: BatchFolder,
        most: int | None,
        bounds: Bounds,
        module: str = "recognizer.batch.worker",
    ) -> None:
        self._ray = _ray()
        self._address = address
        self._folder = folder
        self._most = most
        self._bounds = bounds
        self._module = module
        self._given: dict[Any, _Given] = {}
        self._free: list[Any] = []
        self._again: deque[Task] = deque()
        self._deaths: dict[int, int] = {}

    def run(self, tasks: Iterator[Task]) -> Iterator[Report]:
        """See ``Executor``.

        Raises:
            SettingsError: there is no cluster at the address.
        """
        with _connected(self._ray, self._address):
            new_actor, count = self._actors()
            while self._give(tasks, new_actor, count):
                ended, _ = self._ray.wait(list(self._given), num_returns=1, timeout=_LOOK_EVERY_S)
                if not ended:
                    yield Waited()
                for reference in ended:
                    yield self._outcome(reference) or Waited()

    def _give(self, tasks: Iterator[Task], new_actor: Callable[[], Any], count: int) -> bool:
        """Give whoever is free something to do; return whether anybody works.

        An actor that gets nothing ends with its last reference: it makes room for one whose machine died, and which
        would wait for ever.
        """
        while len(self._given) < count and (task := next(tasks, None) or self._once_more()) is not None:
            actor = self._free.pop() if self._free else new_actor()
            self._given[actor.work.remote(Lines.encode(task))] = _Given(actor, task, time.monotonic())
        self._free.clear()
        return bool(self._given)

    def _once_more(self) -> Task | None:
        return self._again.popleft() if self._again else None

    def _outcome(self, reference: Any) -> Outcome | None:
        """Return what came of a video; None if its actor is gone and another one tries again."""
        given = self._given.pop(reference)
        try:
            outcome: Outcome = Lines(Report).decode(self._ray.get(reference))
        except self._ray.exceptions.RayError as error:
            deaths = self._deaths[given.task.number] = self._deaths.get(given.task.number, 0) + 1
            if deaths < MOST_DEATHS:
                self._again.append(given.task)
                return None
            why = one_line(str(error)).split(". ")[0][:200].rstrip(".")
            sentence = f"'{given.task.place}' ended its actor ({type(error).__name__}: {why}); run the command again."
            took_s = round(time.monotonic() - given.given_s, 3)
            return Outcome(given.task.number, "waiting", took_s=took_s, error=sentence)
        self._free.append(given.actor)
        return outcome

    def _actors(self) -> tuple[Callable[[], Any], int]:
        """Return a function that makes an actor, and how many there may be."""
        resources = self._ray.cluster_resources()
        cores, gpus = int(resources.get("CPU", 1)), int(resources.get("GPU", 0))
        count = gpus or cores
        cores_each = max(1, cores // count)
        if "memory" in resources:  # an actor that fits nowhere would keep its video to the end
            count = max(1, min(count, int(resources["memory"] // WORKER_BYTES)))
        actor_class = self._ray.remote(
            num_cpus=cores_each,
            num_gpus=1 if gpus else 0,
            memory=WORKER_BYTES,
            max_restarts=_RESTARTS,
            max_task_retries=_RETRIES,
        )(Analyst)
        plan = Plan(str(self._folder.root), cores_each, self._bounds, self._module)
        return lambda: actor_class.remote(plan), min(count, self._most or count)


def _ray() -> Any:
    # Ray reports how it is used, unless this says otherwise before it starts
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise SettingsError(
            "--ray needs the package ray, which is not installed; run pip install '.[ray]' on every machine."
        ) from error
    return ray


def _check_reachable(address: str) -> None:
    """Raise if nobody listens at a plain address: Ray itself tries for many minutes.

    Raises:
        SettingsError: nobody does.
    """
    host, _, port = address.rpartition(":")
    if not host or "/" in address or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWERS_WITHIN_S).close()
    except (OSError, OverflowError) as error:
        raise SettingsError(f"there is no Ray at '{address}' ({error}); start it with 'ray start --head'.") from error


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """Be connected to a cluster while the block runs; actors end with it."""
    _check_reachable(address)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ray.init(
            address,
            runtime_env={"env_vars": {"PYTHONPATH": processes.python_path()}},
            log_to_driver=False,
            logging_level="ERROR",
            include_dashboard=False if address == "local" else None,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        why = one_line(str(error)).split(". ")[0][:200].rstrip(".")
        raise SettingsError(
            f"there is no Ray at '{address}' ({why}); start it with 'ray start --head', and set RAY_AUTH_MODE=token "
            "here too if it asks for a token."
        ) from error
    finally:
        for number, handler in before.items():  # Ray has its own for SIGTERM
            signal.signal(number, handler)
    try:
        yield
    finally:
        ray.shutdown()
