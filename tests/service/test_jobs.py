"""Background jobs: their end, their cancelling, and that one user's jobs never delay another's."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recognizer.errors import LimitError, VideoError
from recognizer.service import jobs as jobs_module
from recognizer.service.fairness import Place
from recognizer.service.jobs import Job, Jobs
from tests.support.environment import ROOT
from tests.support.waiting import WAIT_S, wait_until


def test_job_returns_what_the_work_returned() -> None:
    job = Jobs().start(lambda _: 42)
    assert job.wait(WAIT_S)
    assert (job.result, job.error, job.started, job.finished) == (42, None, True, True)


def test_error_for_people_is_passed_on_word_for_word_and_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    def work(_: Job[None]) -> None:
        raise VideoError("'a.mp4' is empty, 0 bytes; copy it again.")

    with caplog.at_level(logging.ERROR):
        job = Jobs().start(work)
        assert job.wait(WAIT_S)
    assert job.error == "'a.mp4' is empty, 0 bytes; copy it again."
    assert job.result is None
    assert not caplog.records


def test_bug_is_logged_with_its_traceback_and_the_page_learns_no_details(caplog: pytest.LogCaptureFixture) -> None:
    def work(_: Job[None]) -> None:
        raise ZeroDivisionError("secret detail")

    with caplog.at_level(logging.ERROR):
        job = Jobs().start(work)
        assert job.wait(WAIT_S)
    assert job.error is not None
    assert "secret detail" not in job.error
    assert "log" in job.error
    assert caplog.records[0].exc_info is not None
    assert "secret detail" in caplog.text


def test_pool_goes_on_after_a_bug() -> None:
    jobs = Jobs(max_at_once=1)
    jobs.start(lambda _: 1 // 0)
    after = jobs.start(lambda _: "still here")
    assert after.wait(WAIT_S)
    assert after.result == "still here"


def test_cancelled_work_returns_what_it_has() -> None:
    going = threading.Event()

    def work(job: Job[list[int]]) -> list[int]:
        found = [1]
        going.set()
        while not job.cancelled:
            threading.Event().wait(0.01)
        return found

    job = Jobs().start(work)
    assert going.wait(WAIT_S)
    assert not job.wait(0.05)
    job.cancel()
    assert job.wait(WAIT_S)
    assert (job.cancelled, job.result, job.error) == (True, [1], None)


def test_progress_can_be_read_while_the_work_runs() -> None:
    reported, go_on = threading.Event(), threading.Event()

    def work(job: Job[None]) -> None:
        job.report("half")
        reported.set()
        go_on.wait(WAIT_S)

    job = Jobs().start(work)
    assert job.progress is None or job.progress == "half"
    assert reported.wait(WAIT_S)
    assert (job.progress, job.finished) == ("half", False)
    go_on.set()
    assert job.wait(WAIT_S)


def test_no_more_jobs_run_at_once_than_allowed_and_the_next_takes_the_free_place() -> None:
    jobs = Jobs(max_at_once=2)
    go_on = [threading.Event() for _ in range(3)]
    begun = [threading.Event() for _ in range(3)]

    def work(number: int) -> None:
        begun[number].set()
        go_on[number].wait(WAIT_S)

    started = [jobs.start(lambda _, number=number: work(number)) for number in range(3)]  # type: ignore[misc]
    assert begun[0].wait(WAIT_S)
    assert begun[1].wait(WAIT_S)
    assert not begun[2].wait(0.1)
    assert not started[2].started
    assert jobs.waiting_before(started[2]) == Place(1, None)
    assert jobs.waiting_before(started[0]) == Place(0, 0.0)
    go_on[1].set()
    assert begun[2].wait(WAIT_S)
    assert not started[0].finished
    for event in go_on:
        event.set()
    assert all(job.wait(WAIT_S) for job in started)


def test_waiting_jobs_get_their_turn_in_the_order_they_came() -> None:
    jobs = Jobs(max_at_once=1)
    hold = threading.Event()
    jobs.start(lambda _: hold.wait(WAIT_S))
    order: list[int] = []
    waiting = [jobs.start(lambda _, number=number: order.append(number)) for number in range(8)]  # type: ignore[misc]
    hold.set()
    assert all(job.wait(WAIT_S) for job in waiting)
    assert order == list(range(8))


def test_job_is_found_by_its_name_and_knows_what_it_works_on() -> None:
    jobs = Jobs()
    job = jobs.start(lambda _: None, "known", about="a video")
    assert jobs.get("known") is job
    assert job.about == "a video"
    assert jobs.get("unknown") is None
    assert jobs.start(lambda _: None).job_id != jobs.start(lambda _: None).job_id


def test_oldest_finished_jobs_are_forgotten_and_running_ones_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_module, "MAX_REMEMBERED", 5)
    jobs = Jobs(max_at_once=2)
    hold = threading.Event()
    running = jobs.start(lambda _: hold.wait(WAIT_S), "running")
    for number in range(20):
        assert jobs.start(lambda _: None, f"short-{number}").wait(WAIT_S)
    assert jobs.get("running") is running
    assert jobs.get("short-0") is None
    assert jobs.get("short-19") is not None
    hold.set()
    assert running.wait(WAIT_S)


def test_many_threads_may_start_and_look_at_once() -> None:
    jobs = Jobs()
    failures: list[BaseException] = []

    def many() -> None:
        try:
            for number in range(50):
                job = jobs.start(lambda _, number=number: number)  # type: ignore[misc]
                jobs.waiting_before(job)
                assert job.wait(WAIT_S)
                assert job.result == number
        except BaseException as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_job_that_is_cancelled_while_it_waits_ends_at_once() -> None:
    jobs = Jobs(max_at_once=1)
    hold = threading.Event()
    first = jobs.start(lambda _: hold.wait(WAIT_S))
    ran = threading.Event()
    waiting = jobs.start(lambda _: ran.set())
    waiting.cancel()
    assert waiting.wait(WAIT_S / 2)
    assert (waiting.result, waiting.error, waiting.started) == (None, None, False)
    hold.set()
    assert first.wait(WAIT_S)
    after = jobs.start(lambda _: "next")
    assert after.wait(WAIT_S)
    assert not ran.is_set()


@pytest.mark.slow
def test_program_that_ends_cancels_its_jobs_and_waits_briefly_for_their_results(tmp_path: Path) -> None:
    program = f"""
import threading, time
from pathlib import Path
from recognizer.service import jobs
jobs.END_WITHIN_S = 2.0
begun = threading.Event()

def willing(job):
    begun.set()
    while not job.cancelled:
        time.sleep(0.01)
    Path({str(tmp_path / "kept")!r}).write_text("what it has")

def stubborn(job):
    time.sleep(600)

some = jobs.Jobs()
some.start(stubborn)
some.start(willing)
begun.wait()
"""
    began_s = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "kept").read_text() == "what it has"
    assert time.monotonic() - began_s < 60


def test_a_remembered_job_does_not_hold_what_it_worked_on() -> None:
    class Much:
        """Stands for an analysis of an hour."""

    much = Much()
    gone = weakref.ref(much)
    jobs = Jobs()
    job = jobs.start(partial(lambda _much, _job: 7, much), "one")
    del much
    assert job.wait(WAIT_S)
    wait_until(lambda: gone() is None)
    assert jobs.get("one") is job
    assert job.result == 7


class Made:
    """Stands for what a job makes: a timeline, or networks."""


def test_a_remembered_job_does_not_hold_what_it_made() -> None:
    """Regression: the server kept the timelines and networks of the last 200 jobs."""
    jobs = Jobs()
    made: list[weakref.ref[Made]] = []

    def work(job: Job[Made]) -> Made:
        result, progress = Made(), Made()
        job.report(progress)
        made.extend([weakref.ref(result), weakref.ref(progress)])
        return result

    job = jobs.start(work, "one")
    assert job.wait(WAIT_S)
    wait_until(lambda: "one" in jobs._ended)
    found = jobs.get("one")
    assert found is job, "whoever asks has what a page still has"
    del job, found
    wait_until(lambda: all(one() is None for one in made))
    remembered = jobs.get("one")
    assert remembered is not None
    assert (remembered.finished, remembered.has_let_go, remembered.result) == (True, True, None)


def test_a_job_is_the_same_before_and_after_its_end_whatever_it_made() -> None:
    """Regression: one without a result, or that failed, was another one after its end."""
    jobs = Jobs()

    def fail(_: Job[None]) -> None:
        raise VideoError("it is damaged; convert it.")

    for work in (lambda _: None, lambda _: 7, fail):
        job: Job[Any] = jobs.start(work, "one")
        assert jobs.get("one") is job
        assert job.wait(WAIT_S)
        assert jobs.get("one") is job, "not the one before of this name"
        wait_until(lambda job=job: jobs._ended.get("one") is job)  # type: ignore[misc]
        assert jobs.get("one") is job


def test_a_job_that_failed_keeps_what_it_made_and_says_why() -> None:
    jobs = Jobs()

    def work(job: Job[int]) -> int:
        job.partial = 7
        raise VideoError("the rest is damaged; convert it.")

    job = jobs.start(work, "one")
    assert job.wait(WAIT_S)
    wait_until(lambda: "one" in jobs._ended)
    del job
    remembered = jobs.get("one")
    assert remembered is not None
    assert (remembered.partial, remembered.error, remembered.has_let_go) == (
        7,
        "the rest is damaged; convert it.",
        False,
    )


class Held:
    """Long jobs that go on until they are let go, and the order in which they began."""

    def __init__(self, jobs: Jobs) -> None:
        self.begun: list[str] = []
        self._jobs = jobs
        self._go_on: dict[str, threading.Event] = {}

    def start(self, name: str, visitor_id: str, expected_s: float | None = None) -> Job[None]:
        go_on = self._go_on[name] = threading.Event()

        def work(job: Job[None]) -> None:
            self.begun.append(name)
            while not (go_on.wait(0.005) or job.cancelled):
                pass

        return self._jobs.start(work, name, visitor_id=visitor_id, long=True, expected_s=expected_s)

    def end(self, *names: str) -> None:
        for name in names or tuple(self._go_on):
            self._go_on[name].set()


def test_four_long_jobs_of_one_visitor_do_not_block_another() -> None:
    """Regression: four long jobs of one visitor took every place."""
    jobs = Jobs(max_long_at_once=2)
    held = Held(jobs)
    own = [held.start(f"a{number}", "a") for number in range(4)]
    other = held.start("b0", "b")
    wait_until(lambda: other.started and own[0].started)
    assert [job.started for job in own] == [True, False, False, False]
    assert [jobs.waiting_before(job).number for job in own] == [0, 1, 2, 3]
    held.end()
    assert all(job.wait(WAIT_S) for job in (*own, other))
    assert sorted(held.begun[:2]) == ["a0", "b0"]
    assert held.begun[2:] == ["a1", "a2", "a3"]


def test_short_job_never_waits_behind_long_ones() -> None:
    jobs = Jobs(max_long_at_once=1)
    held = Held(jobs)
    for number in range(3):
        held.start(f"a{number}", "a")
    assert jobs.start(lambda _: "preview", visitor_id="a").wait(WAIT_S)
    assert jobs.start(lambda _: "still", visitor_id="b").wait(WAIT_S)
    held.end()


def test_visitors_take_turns() -> None:
    jobs = Jobs(max_long_at_once=1)
    held = Held(jobs)
    started = [held.start(name, name[0]) for name in ("a0", "a1", "a2", "b0", "b1", "c0")]
    held.end()
    assert all(job.wait(WAIT_S) for job in started)
    assert held.begun == ["a0", "b0", "c0", "a1", "b1", "a2"]


def test_cancel_is_immediate_also_in_line_and_moves_the_others_up() -> None:
    jobs = Jobs(max_long_at_once=1)
    held = Held(jobs)
    first, second, third = (held.start(name, "a") for name in ("a0", "a1", "a2"))
    wait_until(lambda: first.started)
    second.cancel()
    assert second.finished
    assert jobs.waiting_before(third) == Place(1, None)
    first.cancel()
    assert third.wait(0.0) is False
    wait_until(lambda: third.started)
    held.end()
    assert third.wait(WAIT_S)


def test_waiting_job_knows_about_when_it_starts() -> None:
    jobs = Jobs(max_long_at_once=1)
    held = Held(jobs)
    first = held.start("a0", "a", expected_s=600.0)
    second, third = held.start("a1", "a", expected_s=60.0), held.start("b0", "b")
    wait_until(lambda: first.started)
    starts_in_s = jobs.waiting_before(second).starts_in_s
    assert starts_in_s is None, "b, whose job is of unknown length, is next"
    assert jobs.waiting_before(third).starts_in_s == pytest.approx(600.0, abs=5.0)
    first.remaining_s = 30.0
    assert jobs.waiting_before(third) == Place(1, 30.0)
    held.end()
    assert all(job.wait(WAIT_S) for job in (first, second, third))


def test_too_many_runs_are_refused_with_the_limit(set_limits: Callable[..., None]) -> None:
    set_limits(max_runs_per_visitor=2, max_runs=3)
    jobs = Jobs(max_long_at_once=1)
    held = Held(jobs)
    jobs_of_a = [held.start("a0", "a"), held.start("a1", "a")]
    with pytest.raises(LimitError, match=r"2 of your runs are not finished yet, the limit is 2; .*max_runs_per"):
        held.start("a2", "a")
    held.start("b0", "b")
    with pytest.raises(
        LimitError, match=r"3 of all visitors' runs .* are not finished yet, the limit is 3; .*max_runs:"
    ):
        held.start("c0", "c")
    jobs.start(lambda _: "before the restart", visitor_id="c", long=True, checked=False)
    jobs_of_a[1].cancel()
    jobs_of_a[0].cancel()
    assert jobs_of_a[0].wait(WAIT_S)
    held.start("a3", "a")
    held.end()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_a_long_job_keeps_the_priority_of_pages() -> None:
    """Regression: one that gave way held Python's lock at times, and pages waited until it ran again."""

    def own(_: object = None) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    jobs, usual = Jobs(), own()
    ran = [jobs.start(own, visitor_id="a", long=long) for long in (True, False)]
    assert all(job.wait(WAIT_S) for job in ran)
    assert [job.result for job in ran] == [usual, usual]
