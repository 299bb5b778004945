"""Products on one thread, also where several threads of the program want that at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import threadpool_info

from recognizer.actions.one_thread import on_one_thread


def threads() -> list[int]:
    """Return the threads of NumPy's products; other libraries may bring products of their own."""
    found = (one for one in threadpool_info() if one["user_api"] == "blas" and "numpy" in one["filepath"])
    return [int(one["num_threads"]) for one in found]


@on_one_thread
def seen() -> list[int]:
    return threads()


@on_one_thread
def seen_around_another() -> tuple[list[int], list[int]]:
    return seen(), threads()


def test_work_has_one_thread_and_what_comes_after_it_as_many_as_before() -> None:
    before = threads()
    assert before
    one = [1] * len(before)
    assert seen_around_another() == (one, one)
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(seen) for _ in range(8)]
    assert [one.result() for one in found] == [one] * 8
    assert threads() == before
