"""Presentation times that can be relied on, made of the time stamps that a file has."""

from __future__ import annotations

_DISCONTINUITY_S = 0.5
"""A jump back by more than this, and by several frames, is a new start of the file's own clock, not a wrong stamp."""

_OVERSHOOT_S = 10.0
"""A stamp this far past the end of the file is a wrong one."""

_LONGEST_STANDSTILL = 4
"""After this many stamps in a row that do not advance, the file's clock is taken to stand still."""


class PresentationClock:
    """Turns the time stamps of one stream, in display order, into strictly increasing seconds from its first frame.

    A missing stamp is replaced by one frame interval after the frame before; a stamp that does not advance is put
    between its neighbours, so that the frames after it keep their time; where the file's clock jumps back, the time
    goes on from there. A jump ahead is a hole in the recording and stays.

    Attributes:
        repaired: how many frames got a time that is not their stamp's.
    """

    def __init__(self, interval_s: float, duration_s: float | None = None) -> None:
        """``interval_s``: seconds between two frames; ``duration_s``: length of the stream where it is known."""
        self.repaired = 0
        self._interval_s = interval_s
        self._latest_plausible_s = float("inf") if duration_s is None else 2.0 * duration_s + _OVERSHOOT_S
        self._discontinuity_s = max(_DISCONTINUITY_S, _LONGEST_STANDSTILL * interval_s)
        self._choice = _StampChoice()
        self._origin_s: float | None = None
        self._last_s: float | None = None
        self._standstill = 0

    def time_s(self, presentation_s: float | None, decoding_s: float | None = None) -> float:
        """Seconds from the first frame to the one that carries these two stamps (None: it does not carry it)."""
        stamp_s = self._choice.pick(presentation_s, decoding_s)
        if self._last_s is None:
            self._origin_s, self._last_s = stamp_s, 0.0
            self.repaired += stamp_s is None
            return 0.0
        if stamp_s is None:
            return self._after(self._last_s, self._interval_s)
        if self._origin_s is None:
            self._origin_s = stamp_s - self._last_s - self._interval_s
        time_s = stamp_s - self._origin_s
        if time_s > self._latest_plausible_s and time_s - self._last_s > _OVERSHOOT_S:
            return self._after(self._last_s, self._interval_s)
        if time_s > self._last_s:
            self._standstill = 0
            self._last_s = time_s
            return time_s
        self._standstill += 1
        if self._last_s - time_s > self._discontinuity_s or self._standstill > _LONGEST_STANDSTILL:
            repaired_s = self._after(self._last_s, self._interval_s)
            self._origin_s = stamp_s - repaired_s
            return repaired_s
        # a short row of wrong stamps stays within one interval: a half, a quarter, an eighth of it
        return self._after(self._last_s, self._interval_s / 2**self._standstill)

    def _after(self, last_s: float, step_s: float) -> float:
        self.repaired += 1
        self._last_s = last_s + step_s
        return self._last_s


class _StampChoice:
    """Presentation stamp or decoding stamp: the one that ran backwards less often so far.

    AVI stores no presentation times; what FFmpeg makes up for MPEG-4 with B-frames swaps neighbours. The rule is that
    of FFmpeg's ``guess_correct_pts``.
    """

    def __init__(self) -> None:
        self._presentation_faults = 0
        self._decoding_faults = 0
        self._last_presentation_s = float("-inf")
        self._last_decoding_s = float("-inf")
        self._decoding_lead_s: float | None = None

    def pick(self, presentation_s: float | None, decoding_s: float | None) -> float | None:
        """The better of the two, on the scale of the presentation stamps; None when there is none."""
        if decoding_s is not None:
            self._decoding_faults += decoding_s <= self._last_decoding_s
            self._last_decoding_s = decoding_s
        if presentation_s is not None:
            self._presentation_faults += presentation_s <= self._last_presentation_s
            self._last_presentation_s = presentation_s
            if decoding_s is not None and self._decoding_lead_s is None:
                self._decoding_lead_s = presentation_s - decoding_s
        if decoding_s is None or (presentation_s is not None and self._presentation_faults <= self._decoding_faults):
            return presentation_s
        return decoding_s + (self._decoding_lead_s or 0.0)
