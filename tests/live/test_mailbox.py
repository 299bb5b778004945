"""Between the camera and detection: one frame waits, and a bounded number of samples."""

from __future__ import annotations

import threading

import numpy as np

from recognizer.live.mailbox import MOST_SAMPLES, FrameMailbox
from tests.support.fakes import numbered_frame
from tests.support.waiting import WAIT_S


def put(mailbox: FrameMailbox, numbers: range, every: int = 1) -> None:
    for number in numbers:
        mailbox.put(numbered_frame(number, number / 30), is_sample=number % every == 0)


def test_latest_frame_replaces_the_one_before_and_samples_wait_on() -> None:
    mailbox = FrameMailbox()
    put(mailbox, range(8), every=2)
    mail = mailbox.take()
    assert mail is not None
    assert mail.frame.index == 7
    assert [sample.index for sample in mail.samples] == [0, 2, 4, 6]
    assert mailbox.dropped == 7
    assert mailbox.take() is None


def test_frame_that_is_a_sample_is_the_last_of_them() -> None:
    mailbox = FrameMailbox()
    put(mailbox, range(3), every=2)
    mail = mailbox.take()
    assert mail is not None
    assert mail.samples[-1] is mail.frame


def test_samples_are_bounded_and_still_cover_the_whole_time() -> None:
    mailbox = FrameMailbox()
    put(mailbox, range(10 * MOST_SAMPLES))
    mail = mailbox.take()
    assert mail is not None
    assert MOST_SAMPLES / 2 <= len(mail.samples) <= MOST_SAMPLES
    indices = [sample.index for sample in mail.samples]
    assert indices[0] == 0
    (step,) = set(np.diff(indices))
    assert mail.frame.index - indices[-1] < step


def test_samples_of_another_interval_are_dropped() -> None:
    mailbox = FrameMailbox()
    put(mailbox, range(4))
    mailbox.drop_samples()
    mail = mailbox.take()
    assert mail is not None
    assert mail.frame.index == 3
    assert not mail.samples


def test_closing_frees_whoever_waits() -> None:
    mailbox = FrameMailbox()
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(mailbox.wait()))
    waiting.start()
    mailbox.close()
    waiting.join(WAIT_S)
    assert answers == [False]
