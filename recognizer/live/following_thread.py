"""Follow the people of a live stream on a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress

import torch

from recognizer.analysis.following import PeopleFollower
from recognizer.analysis.labeling import ActionLabeler
from recognizer.live.labeling_thread import threads_each
from recognizer.live.mailbox import FrameMailbox, Mail
from recognizer.live.pace import DetectionPace
from recognizer.live.stats import Rate
from recognizer.types import Clip

_log = logging.getLogger(__name__)

_CHANGE_POLL_S = 1.0
"""A caller of ``between_frames`` notices within this time that the thread has ended."""

_PACE_POLL_S = 0.05
"""A detection that waits for a label notices within this time that it has come."""


class FollowingThread:
    """Takes the latest frame out of the mailbox, follows the people in it, and collects their clips.

    Args:
        mailbox: the source of the frames; closing it ends the thread.
        follower: the stream's; used on this thread.
        labeler: the stream's; collects the clips.
        pace: decides how long a detection waits.
        put: takes complete clips; must not wait.

    Attributes:
        problem: one sentence about why the latest frame could not be followed; None if it could.
        rate: how often detection runs.
    """

    def __init__(
        self,
        mailbox: FrameMailbox,
        follower: PeopleFollower,
        labeler: ActionLabeler,
        pace: DetectionPace,
        put: Callable[[Sequence[Clip]], None],
    ) -> None:
        self.problem: str | None = None
        self.rate = Rate()
        self._mailbox = mailbox
        self._follower = follower
        self._labeler = labeler
        self._pace = pace
        self._put = put
        self._changes: deque[tuple[Callable[[], None], Future[None]]] = deque()
        self._thread = threading.Thread(target=self._work, name="live-follow", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        torch.set_num_threads(threads_each())
        while self._mailbox.wait():
            self._run_changes()
            rest_s = self._pace.rest_s()
            if rest_s > 0:  # afterwards the latest frame is taken, not the current one
                self._mailbox.pause(min(rest_s, _PACE_POLL_S))
                continue
            mail = self._mailbox.take()
            if mail is None:
                continue
            try:
                clips = self._follow(mail)
            except Exception:  # noqa: BLE001 - one bad frame must not end the stream; it is logged and reported
                _log.exception("a frame could not be followed")
                self.problem = "People could not be followed in a frame; the server's log says why."
                continue
            finally:
                self._pace.end()
            self.problem = None
            self.rate.add(time.monotonic())
            self._put(clips)

    def between_frames(self, change: Callable[[], None]) -> None:
        """Run ``change`` between two frames and wait until it is done, so that every frame is followed with one state.

        Raises:
            Exception: what ``change`` raises.
        """
        done: Future[None] = Future()
        self._changes.append((change, done))
        self._mailbox.wake()
        while self._thread.is_alive() and not done.done():
            with suppress(TimeoutError):
                done.result(_CHANGE_POLL_S)
        if not done.done():  # the thread ended without running the change
            self._run_changes()
        done.result()

    def _run_changes(self) -> None:
        while self._changes:
            try:
                change, done = self._changes.popleft()
            except IndexError:  # another thread took the last one
                return
            try:
                change()
            except Exception as error:  # noqa: BLE001 - it is raised in the caller of ``between_frames``
                done.set_exception(error)
            else:
                done.set_result(None)

    def _follow(self, mail: Mail) -> list[Clip]:
        clips: list[Clip] = []
        observations = self._follower.follow(mail.frame, mail.samples)
        for observation in observations:
            clips += self._labeler.add(observation)
        if not observations or observations[-1].frame_index != mail.frame.index:
            self._labeler.add_people(mail.frame.time_s, self._follower.people, self._follower.camera)
        return clips

    def join(self, timeout_s: float) -> None:
        """Wait until the thread has ended; close the mailbox first."""
        self._thread.join(timeout_s)
