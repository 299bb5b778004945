"""Background jobs: their end, their cancelling, and that one user's jobs never delay another's."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
import weakref
from functools import partial
from pathlib import Path

import pytest

from recognizer.errors import VideoError
from recognizer.service import jobs as jobs_module
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
    assert jobs.waiting_before(started[2]) == 2
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
