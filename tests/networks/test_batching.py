"""Callers of one network: each in turn, and what they wait with goes through together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recognizer.networks.backends import run_pytorch
from recognizer.networks.backends.batching import Turns
from recognizer.networks.backends.run_pytorch import PyTorchRunner
from recognizer.networks.backends.ways import REFERENCE

CPU = torch.device("cpu")
SOON_S = 20


class Queue(deque[Any]):
    """Tells when somebody has joined it."""

    def __init__(self) -> None:
        super().__init__()
        self.joined = threading.Semaphore(0)

    def append(self, place: Any) -> None:
        super().append(place)
        self.joined.release()


class Callers:
    """Threads that call one after the other; the first keeps its turn until all others wait."""

    def __init__(self, turns: Turns) -> None:
        self.queue = Queue()
        turns._waiting = self.queue
        self._others_wait = threading.Event()
        self._began = threading.Event()
        self.results: dict[str, Any] = {}
        self._threads: list[threading.Thread] = []

    def hold(self) -> None:
        """Call this in the first turn."""
        if not self._began.is_set():
            self._began.set()
            assert self._others_wait.wait(SOON_S)

    def call(self, name: str, work: Callable[[], Any]) -> None:
        def run() -> None:
            try:
                self.results[name] = work()
            except Exception as error:  # noqa: BLE001 - the tests look at it
                self.results[name] = error

        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()
        if len(self._threads) == 1:
            assert self._began.wait(SOON_S)
        else:
            assert self.queue.joined.acquire(timeout=SOON_S)

    def go_on(self) -> None:
        self._others_wait.set()
        for thread in self._threads:
            thread.join(SOON_S)
        assert not any(thread.is_alive() for thread in self._threads), "somebody waits for ever"


class Network:
    """Doubles what it is given, and notes what went through together; -1 is what it cannot take."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.callers = Callers(self.turns)
        self.passes: list[list[Any]] = []

    def run(self, batch: Tensor) -> Tensor:
        self.callers.hold()
        self.passes.append(batch[:, 0].tolist())
        if (batch < 0).any():
            raise ValueError(f"cannot take {self.passes[-1]}")
        return batch * 2

    def call(self, *values: int, kind: str = "clip", most: int = 8) -> None:
        batch = torch.tensor(values)[:, None]

        def work() -> list[int]:
            outputs = self.turns.together(kind, batch, most, self.run)
            return outputs[:, 0].tolist()

        self.callers.call("+".join(map(str, values)), work)


class TestTurns:
    def test_who_came_first_is_served_first(self) -> None:
        """Regression: with a plain lock, a thread that came back at once passed those who waited."""
        turns, served = Turns(), []
        callers = Callers(turns)

        def greedy() -> None:
            for _ in range(3):
                with turns.turn():
                    served.append("greedy")
                    callers.hold()

        def patient(name: str) -> None:
            with turns.turn():
                served.append(name)

        callers.call("greedy", greedy)
        callers.call("first", lambda: patient("first"))
        callers.call("second", lambda: patient("second"))
        callers.go_on()
        assert served == ["greedy", "first", "second", "greedy", "greedy"]

    def test_an_error_gives_the_turn_on(self) -> None:
        turns = Turns()
        with pytest.raises(ValueError, match="once"), turns.turn():
            raise ValueError("once")
        with turns.turn():
            pass

    def test_who_is_interrupted_while_waiting_leaves_the_queue(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ctrl-C; otherwise the turn would be given to somebody who is gone, and all others wait for ever."""

        def interrupted(*_: object) -> bool:
            raise KeyboardInterrupt

        turns = Turns()
        with turns.turn():
            monkeypatch.setattr(threading.Event, "wait", interrupted)
            with pytest.raises(KeyboardInterrupt), turns.turn():
                pass
            monkeypatch.undo()
        with turns.turn():
            pass
        assert not turns._waiting


class TestTogether:
    def test_what_waits_goes_through_together_and_each_gets_their_own(self) -> None:
        network = Network()
        network.call(0)
        network.call(1, 2)
        network.call(3)
        network.call(4, 5, 6)
        network.callers.go_on()
        assert network.passes == [[0], [1, 2, 3, 4, 5, 6]]
        assert network.callers.results == {"0": [0], "1+2": [2, 4], "3": [6], "4+5+6": [8, 10, 12]}

    def test_outputs_of_one_are_not_changed_by_what_another_does_with_theirs(self) -> None:
        network = Network()
        outputs: dict[int, Tensor] = {}

        def work(value: int) -> None:
            outputs[value] = network.turns.together("clip", torch.full((1, 1), value), 8, network.run)
            outputs[value] += 100

        for value in range(3):
            network.callers.call(str(value), lambda value=value: work(value))
        network.callers.go_on()
        assert network.passes == [[0], [1, 2]]
        assert {value: one.item() for value, one in outputs.items()} == {0: 100, 1: 102, 2: 104}
        assert outputs[1].untyped_storage().data_ptr() != outputs[2].untyped_storage().data_ptr()

    def test_no_more_go_along_than_a_batch_holds_and_nobody_passes_another(self) -> None:
        network = Network()
        network.call(0, most=4)
        network.call(1, 2, most=4)
        network.call(3, 4, 5, most=4)
        network.call(6, most=4)  # would fit beside the first two, but came later than those who do not
        network.callers.go_on()
        assert network.passes == [[0], [1, 2], [3, 4, 5, 6]]
        assert network.callers.results["6"] == [12]

    def test_other_kinds_keep_their_turn_between(self) -> None:
        network = Network()
        network.call(0)
        network.call(1)
        network.call(2, kind="picture")
        network.call(3)
        network.callers.call("plain", lambda: network.passes.append(["plain"]) if in_turn(network.turns) else None)
        network.call(4, kind="picture")
        network.callers.go_on()
        assert network.passes == [[0], [1, 3], [2, 4], ["plain"]]

    def test_an_error_reaches_only_whose_own_it_is(self) -> None:
        network = Network()
        for value in (0, 1, -1, 2):
            network.call(value)
        network.callers.go_on()
        results = network.callers.results
        assert str(results.pop("-1")) == "cannot take [-1]"
        assert results == {"0": [0], "1": [2], "2": [4]}
        assert network.passes == [[0], [1, -1, 2], [1], [-1], [2]]
        assert network.turns.together("clip", torch.ones(1, 1), 8, network.run).item() == 2, "it is free afterwards"

    def test_where_nothing_goes_through_everybody_gets_an_exception_of_their_own(self) -> None:
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


def in_turn(turns: Turns) -> bool:
    with turns.turn():
        return True


class Means(nn.Module):
    """The mean of each clip; keeps the first pass until all others wait."""

    def __init__(self, turns: Turns, room_for: int = 8) -> None:
        super().__init__()
        self.callers = Callers(turns)
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
        """As many as a GPU would take, on this processor."""
        monkeypatch.setitem(run_pytorch._MOST_AT_ONCE, "cpu", 8)

    def call(self, means: Means, runner: PyTorchRunner, batches: list[Tensor]) -> list[Any]:
        for k, batch in enumerate(batches):
            means.callers.call(str(k), lambda batch=batch: runner(batch)[:, 0].tolist())
        means.callers.go_on()
        return [means.callers.results[str(k)] for k in range(len(batches))]

    def test_clips_of_several_callers_are_one_batch(self) -> None:
        turns = Turns()
        means = Means(turns)
        runner = PyTorchRunner(means, 5, CPU, REFERENCE, turns)
        assert self.call(means, runner, [clips(0), clips(1), clips(2, 2), clips(3)]) == [[0], [1], [2, 2], [3]]
        assert means.passes == [1, 4]

    def test_other_lengths_and_other_runners_of_the_network_are_not_joined(self) -> None:
        turns = Turns()
        means = Means(turns)
        runner, exact = (PyTorchRunner(means, 5, CPU, REFERENCE, turns) for _ in range(2))
        means.callers.call("first", lambda: runner(clips(0)))
        for k, (one, frames) in enumerate([(runner, 2), (exact, 2), (runner, 3), (runner, 2)]):
            batch = clips(k, k + 1, frames)
            means.callers.call(str(k), lambda one=one, batch=batch: one(batch))
        means.callers.go_on()
        assert means.passes == [1, 1 + 4, 2, 3]
        for k in range(4):
            assert means.callers.results[str(k)][:, 0].tolist() == [k] * (k + 1)

    def test_on_a_cpu_no_more_than_two_clips_are_joined(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        turns = Turns()
        means = Means(turns)
        runner = PyTorchRunner(means, 5, CPU, REFERENCE, turns)
        batches = [torch.full((1, 8, 224, 224, 3), k, dtype=torch.uint8) for k in range(5)]
        assert self.call(means, runner, batches) == [[0], [1], [2], [3], [4]]
        assert means.passes == [1, 2, 2]

    def test_where_memory_runs_out_together_it_goes_on_in_smaller_batches(self) -> None:
        turns = Turns()
        means = Means(turns, room_for=1)
        runner = PyTorchRunner(means, 5, CPU, REFERENCE, turns)
        assert self.call(means, runner, [clips(k) for k in range(4)]) == [[0], [1], [2], [3]]
        assert means.passes == [1, 3, 2, 1, 1, 1]

    def test_where_memory_has_room_for_nobody_everybody_is_told(self) -> None:
        turns = Turns()
        means = Means(turns, room_for=0)
        runner = PyTorchRunner(means, 5, CPU, REFERENCE, turns)
        errors = self.call(means, runner, [clips(k) for k in range(4)])
        assert all(isinstance(error, torch.OutOfMemoryError) for error in errors)
        assert len({id(error) for error in errors}) == 4
