"""Who is next in a line with several visitors; no threads, no clock."""

from __future__ import annotations

from itertools import groupby

from recognizer.service.fairness import NOBODY, FairLine, Place


def order(line: FairLine[str]) -> list[str]:
    """Everything in the order in which it starts, if each ends before the next begins."""
    begun = []
    while (item := line.take()) is not None:
        begun.append(item)
        line.end(item)
    return begun


def test_one_visitors_work_keeps_its_order() -> None:
    line: FairLine[str] = FairLine(1)
    for name in ("a0", "a1", "a2"):
        line.add(name, "a")
    assert order(line) == ["a0", "a1", "a2"]


def test_visitors_take_turns_however_much_each_has() -> None:
    line: FairLine[str] = FairLine(1)
    for name in ("a0", "a1", "a2", "a3", "b0", "c0", "c1"):
        line.add(name, name[0])
    assert order(line) == ["a0", "b0", "c0", "a1", "c1", "a2", "a3"]


def test_who_comes_again_and_again_does_not_overtake_who_waits() -> None:
    line: FairLine[str] = FairLine(1)
    line.add("b0", "b")
    assert line.take() == "b0"
    line.add("c0", "c")
    line.end("b0")
    line.add("b1", "b")
    assert line.take() == "c0"


def test_who_had_a_turn_waits_for_who_had_none() -> None:
    line: FairLine[str] = FairLine(1)
    line.add("a0", "a")
    assert line.take() == "a0"
    line.add("a1", "a")
    line.add("b0", "b")
    line.end("a0")
    assert line.take() == "b0"


def test_coming_again_does_not_keep_a_second_piece_of_work_waiting() -> None:
    line: FairLine[str] = FairLine(1)
    line.add("a0", "a")
    line.add("a1", "a")
    order_of_all = []
    for number in range(5):
        line.add(f"b{number}", "b")
        item = line.take()
        assert item is not None
        order_of_all.append(item)
        line.end(item)
    assert "a1" in order_of_all[:3]


def test_own_work_of_the_server_is_not_held_back() -> None:
    line: FairLine[int] = FairLine(3, each_at_once=1)
    for number in range(3):
        line.add(number, NOBODY)
    assert [line.take(), line.take(), line.take()] == [0, 1, 2]


def test_no_more_runs_than_allowed_of_one_and_of_all() -> None:
    line: FairLine[str] = FairLine(2, each_at_once=1)
    for name in ("a0", "a1", "b0", "c0"):
        line.add(name, name[0])
    assert [line.take(), line.take(), line.take()] == ["a0", "b0", None]
    line.end("a0")
    assert line.take() == "c0"
    assert line.take() is None
    line.end("b0")
    assert line.take() == "a1"


def test_place_is_where_the_line_will_be_when_its_turn_comes() -> None:
    line: FairLine[str] = FairLine(2, each_at_once=1)
    for name in ("a0", "a1", "b0", "b1", "c0"):
        line.add(name, name[0])
    takes_s = {"a0": 100.0, "a1": 10.0, "b0": 40.0, "b1": 10.0, "c0": 5.0}
    line.take()
    line.take()
    assert line.place("a0", takes_s.get) == Place(0, 0.0)
    assert line.place("c0", takes_s.get) == Place(1, 40.0)
    assert line.place("b1", takes_s.get) == Place(2, 45.0)
    assert line.place("a1", takes_s.get) == Place(3, 100.0)
    assert line.place("z", takes_s.get) is None
    assert line.place("b1", lambda _: None) == Place(3, None)
    assert line.take() is None, "looking ahead must not change the line"


def test_two_visitors_share_evenly() -> None:
    line: FairLine[str] = FairLine(1)
    for number in range(100):
        line.add(f"a{number}", "a")
    for number in range(100):
        line.add(f"b{number}", "b")
    runs = [len(list(same)) for _, same in groupby(order(line), key=lambda name: name[0])]
    assert max(runs) == 1


def test_visitors_of_a_year_are_forgotten() -> None:
    line: FairLine[str] = FairLine(1)
    for number in range(1000):
        line.add("work", f"visitor {number}")
        order(line)
    assert not line._turns
