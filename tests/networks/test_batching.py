"""Callers that share a network: they are served in order, and compatible requests run as one batch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recognizer.networks.backends import pytorch
from recognizer.networks.backends.batching import FairQueue
from recognizer.networks.backends.pytorch import PyTorchRunner
from recognizer.networks.backends.ways import REFERENCE
from tests.support.waiting import WAIT_S, wait_until

CPU = torch.device("cpu")


class Callers:
    """Threads that call one after the other; the first holds its turn until all others wait."""

    def __init__(self, queue: FairQueue) -> None:
        self._queue = queue
        self._others_wait = threading.Event()
        self._began = threading.Event()
        self.results: dict[str, Any] = {}
        self._threads: list[threading.Thread] = []

    def hold(self) -> None:
        """Wait in the first turn, which calls this, until all others queue."""
        if not self._began.is_set():
            self._began.set()
            assert self._others_wait.wait(WAIT_S)

    def call(self, name: str, work: Callable[[], Any]) -> None:
        def run() -> None:
            try:
                self.results[name] = work()
            except Exception as error:  # noqa: BLE001 - the tests look at it
                self.results[name] = error

        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()
        if len(self._threads) == 1:
            assert self._began.wait(WAIT_S)
        else:
            wait_until(lambda: self._queue.waiting == len(self._threads) - 1)

    def go_on(self) -> None:
        self._others_wait.set()
        for thread in self._threads:
            thread.join(WAIT_S)
        assert not any(thread.is_alive() for thread in self._threads), "a caller waits for ever"


class Network:
    """Doubles its input and records each batch; fails on negative values."""

    def __init__(self) -> None:
        self.queue = FairQueue()
        self.callers = Callers(self.queue)
        self.passes: list[list[Any]] = []

    def run(self, batch: Tensor) -> Tensor:
        self.callers.hold()
        self.passes.append(batch[:, 0].tolist())
        if (batch < 0).any():
            raise ValueError(f"cannot take {self.passes[-1]}")
        return batch * 2

    def call(self, *values: int, kind: str = "clip", limit: int = 8) -> None:
        batch = torch.tensor(values)[:, None]

        def work() -> list[int]:
            outputs = self.queue.run_batched(kind, batch, limit, self.run)
            return outputs[:, 0].tolist()

        self.callers.call("+".join(map(str, values)), work)


class TestTurn:
    def test_callers_are_served_in_order_of_arrival(self) -> None:
        """Regression: with a plain lock, a thread that returned at once overtook those that waited."""
        queue, served = FairQueue(), []
        callers = Callers(queue)

        def greedy() -> None:
            for _ in range(3):
                with queue.turn():
                    served.append("greedy")
                    callers.hold()

        def patient(name: str) -> None:
            with queue.turn():
                served.append(name)

        callers.call("greedy", greedy)
        callers.call("first", lambda: patient("first"))
        callers.call("second", lambda: patient("second"))
        callers.go_on()
        assert served == ["greedy", "first", "second", "greedy", "greedy"]

    def test_an_error_passes_the_turn_on(self) -> None:
        queue = FairQueue()
        with pytest.raises(ValueError, match="once"), queue.turn():
            raise ValueError("once")
        with queue.turn():
            pass

    def test_an_interrupted_caller_leaves_the_queue(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """After Ctrl-C, the turn would otherwise go to a caller that is gone, and all others would wait for ever."""

        def interrupted(*_: object) -> bool:
            raise KeyboardInterrupt

        queue = FairQueue()
        with queue.turn():
            monkeypatch.setattr(threading.Event, "wait", interrupted)
            with pytest.raises(KeyboardInterrupt), queue.turn():
                pass
            monkeypatch.undo()
        with queue.turn():
            pass
        assert queue.waiting == 0


class TestRunBatched:
    def test_waiting_requests_run_as_one_batch_and_each_gets_its_own_outputs(self) -> None:
        network = Network()
        network.call(0)
        network.call(1, 2)
        network.call(3)
        network.call(4, 5, 6)
        network.callers.go_on()
        assert network.passes == [[0], [1, 2, 3, 4, 5, 6]]
        assert network.callers.results == {"0": [0], "1+2": [2, 4], "3": [6], "4+5+6": [8, 10, 12]}

    def test_callers_can_change_their_outputs_without_affecting_others(self) -> None:
        network = Network()
        outputs: dict[int, Tensor] = {}

        def work(value: int) -> None:
            outputs[value] = network.queue.run_batched("clip", torch.full((1, 1), value), 8, network.run)
            outputs[value] += 100

        for value in range(3):
            network.callers.call(str(value), partial(work, value))
        network.callers.go_on()
        assert network.passes == [[0], [1, 2]]
        assert {value: one.item() for value, one in outputs.items()} == {0: 100, 1: 102, 2: 104}
        assert outputs[1].untyped_storage().data_ptr() != outputs[2].untyped_storage().data_ptr()

    def test_a_joint_batch_respects_the_limit_and_no_request_overtakes(self) -> None:
        network = Network()
        network.call(0, limit=4)
        network.call(1, 2, limit=4)
        network.call(3, 4, 5, limit=4)
        network.call(6, limit=4)  # would fit with the first two, but arrived after a request that does not
        network.callers.go_on()
        assert network.passes == [[0], [1, 2], [3, 4, 5, 6]]
        assert network.callers.results["6"] == [12]

    def test_other_kinds_keep_their_place_in_the_queue(self) -> None:
        network = Network()
        network.call(0)
        network.call(1)
        network.call(2, kind="picture")
        network.call(3)
        network.callers.call("plain", lambda: network.passes.append(["plain"]) if in_turn(network.queue) else None)
        network.call(4, kind="picture")
        network.callers.go_on()
        assert network.passes == [[0], [1, 3], [2, 4], ["plain"]]

    def test_an_error_reaches_only_the_caller_who_caused_it(self) -> None:
        network = Network()
        for value in (0, 1, -1, 2):
            network.call(value)
        network.callers.go_on()
        results = network.callers.results
        assert str(results.pop("-1")) == "cannot take [-1]"
        assert results == {"0": [0], "1": [2], "2": [4]}
        assert network.passes == [[0], [1, -1, 2], [1], [-1], [2]]
        assert network.queue.run_batched("clip", torch.ones(1, 1), 8, network.run).item() == 2, "it is free afterwards"

    def test_if_every_request_fails_each_caller_gets_an_own_exception(self) -> None:
        network = Network()
        for values in ((-1,), (-1, 1), (-1, 2), (-1, 3)):
            network.call(*values)
        network.callers.go_on()
        errors = list(network.callers.results.values())
        assert [str(error) for error in errors] == [
            "cannot take [-1]",
            "cannot take [-1, 1]",
            "cannot take [-1, 2]",
            "cannot take [-1, 3]",
        ]
        assert len({id(error) for error in errors}) == 4


def in_turn(queue: FairQueue) -> bool:
    with queue.turn():
        return True


class Means(nn.Module):
    """Computes the mean of each clip; holds the first run until all others wait."""

    def __init__(self, queue: FairQueue, room_for: int = 8) -> None:
        super().__init__()
        self.callers = Callers(queue)
        self.room_for = room_for
        self.passes: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.callers.hold()
        self.passes.append(len(x))
        if len(x) > self.room_for:
            raise torch.OutOfMemoryError("out of memory")
        return x.float().mean(dim=(1, 2, 3, 4))[:, None]


def clips(value: int, number: int = 1, frames: int = 2) -> Tensor:
    return torch.full((number, 3, frames, 4, 4), float(value))


class TestCallersOfANetwork:
    @pytest.fixture(autouse=True)
    def eight_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Allow the batches of a GPU on this CPU."""
        monkeypatch.setitem(pytorch.MAX_BATCH_SIZE, "cpu", 8)

    def call(self, means: Means, runner: PyTorchRunner, batches: list[Tensor]) -> list[Any]:
        def first_outputs(batch: Tensor) -> list[float]:
            return [float(output) for output in runner(batch)[:, 0]]

        for k, batch in enumerate(batches):
            means.callers.call(str(k), partial(first_outputs, batch))
        means.callers.go_on()
        return [means.callers.results[str(k)] for k in range(len(batches))]

    def test_clips_of_several_callers_are_one_batch(self) -> None:
        queue = FairQueue()
        means = Means(queue)
        runner = PyTorchRunner(means, 5, CPU, REFERENCE, queue)
        assert self.call(means, runner, [clips(0), clips(1), clips(2, 2), clips(3)]) == [[0], [1], [2, 2], [3]]
        assert means.passes == [1, 4]

    def test_other_lengths_and_other_runners_of_the_network_are_not_joined(self) -> None:
        queue = FairQueue()
        means = Means(queue)
        runner, exact = (PyTorchRunner(means, 5, CPU, REFERENCE, queue) for _ in range(2))
        means.callers.call("first", lambda: runner(clips(0)))
        for k, (one, frames) in enumerate([(runner, 2), (exact, 2), (runner, 3), (runner, 2)]):
            batch = clips(k, k + 1, frames)
            means.callers.call(str(k), partial(one, batch))
        means.callers.go_on()
        assert means.passes == [1, 1 + 4, 2, 3]
        for k in range(4):
            assert means.callers.results[str(k)][:, 0].tolist() == [k] * (k + 1)

    def test_a_cpu_joins_at_most_two_clips(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        queue = FairQueue()
        means = Means(queue)
        runner = PyTorchRunner(means, 5, CPU, REFERENCE, queue)
        batches = [torch.full((1, 8, 224, 224, 3), k, dtype=torch.uint8) for k in range(5)]
        assert self.call(means, runner, batches) == [[0], [1], [2], [3], [4]]
        assert means.passes == [1, 2, 2]

    def test_a_joint_batch_shrinks_when_memory_runs_out(self) -> None:
        queue = FairQueue()
        means = Means(queue, room_for=1)
        runner = PyTorchRunner(means, 5, CPU, REFERENCE, queue)
        assert self.call(means, runner, [clips(k) for k in range(4)]) == [[0], [1], [2], [3]]
        assert means.passes == [1, 3, 2, 1, 1, 1]

    def test_without_any_memory_every_caller_gets_the_error(self) -> None:
        queue = FairQueue()
        means = Means(queue, room_for=0)
        runner = PyTorchRunner(means, 5, CPU, REFERENCE, queue)
        errors = self.call(means, runner, [clips(k) for k in range(4)])
        assert all(isinstance(error, torch.OutOfMemoryError) for error in errors)
        assert len({id(error) for error in errors}) == 4
