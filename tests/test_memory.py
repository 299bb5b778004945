"""Garbage collections while large data are made, and after."""

from __future__ import annotations

import gc
from types import SimpleNamespace

import pytest

from recognizer import memory


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A collector that only says whether it is on, and in which order it was called."""
    calls: list[str] = []
    fake = SimpleNamespace(calls=calls, is_on=True)
    fake.isenabled = lambda: fake.is_on
    fake.disable = lambda: setattr(fake, "is_on", False)
    fake.enable = lambda: setattr(fake, "is_on", True)
    for name in ("unfreeze", "collect", "freeze"):
        setattr(fake, name, lambda name=name: calls.append(name))
    monkeypatch.setattr(memory, "gc", fake)
    return fake


def test_collections_go_on_when_nobody_makes_large_data_any_more(collector: SimpleNamespace) -> None:
    with memory.without_collections():
        with pytest.raises(ValueError, match="damaged"), memory.without_collections():
            raise ValueError("damaged")
        assert not collector.is_on
    assert collector.is_on
    collector.disable()  # somebody else wants none at all
    with memory.without_collections():
        pass
    assert not collector.is_on


def test_garbage_among_exempt_objects_is_collected_before_others_are_exempt(collector: SimpleNamespace) -> None:
    memory.exempt_from_collection()
    assert collector.calls == ["unfreeze", "collect", "freeze"]
    assert all(hasattr(gc, name) for name in collector.calls)


def test_garbage_is_found_before_memory_is_given_back(
    collector: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: a server that nobody used any more kept what the last visitors' pages and cameras had held."""
    monkeypatch.setattr(memory, "give_back_memory", lambda: collector.calls.append("give back"))
    memory.collect_and_give_back_memory()
    assert collector.calls == ["collect", "give back"]


def test_a_process_that_ends_looks_for_no_cycles(collector: SimpleNamespace) -> None:
    memory.leave_garbage()
    assert collector.calls == ["freeze"]
