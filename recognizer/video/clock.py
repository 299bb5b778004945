"""Turn a file's time stamps into reliable presentation times."""

from __future__ import annotations

_DISCONTINUITY_S = 0.5
"""A jump back by more than this, and by several frames, restarts the file's clock; a smaller one is a wrong stamp."""

_OVERSHOOT_S = 10.0
"""A stamp this far past the end of the file is wrong."""

_LONGEST_STANDSTILL = 4
"""After this many stamps in a row that do not advance, the file's clock counts as stopped."""


class PresentationClock:
    """Turn the time stamps of one stream, in display order, into strictly increasing seconds from the file's zero.

    A missing stamp becomes one frame interval after the previous frame. A stamp that does not advance is placed
    between its neighbours, so that later frames keep their times. After the file's clock jumps back, time continues
    from there. A jump ahead is a gap in the recording and is kept.

    Attributes:
        repaired: how many frames have a time that differs from their stamp.
    """

    def __init__(self, interval_s: float, end_s: float | None = None, zero_s: float | None = None) -> None:
        """Start the clock of one file.

        Args:
            interval_s: seconds between two frames.
            end_s: when the stream ends, if known.
            zero_s: the stamp that counts as 0; None for that of the first frame.
        """
        self.repaired = 0
        self._interval_s = interval_s
        self._latest_plausible_s = float("inf") if end_s is None else 2.0 * end_s + _OVERSHOOT_S
        self._discontinuity_s = max(_DISCONTINUITY_S, _LONGEST_STANDSTILL * interval_s)
        self._choice = _StampChoice()
        self._origin_s = zero_s
        self._last_s: float | None = None
        self._standstill = 0

    def time_s(self, presentation_s: float | None, decoding_s: float | None = None) -> float:
        """Return the seconds from the zero to the frame with these stamps (None: the stamp is missing)."""
        stamp_s = self._choice.pick(presentation_s, decoding_s)
        if self._last_s is None:
            return self._first(stamp_s)
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
        # a short run of wrong stamps stays within one interval: a half, a quarter, an eighth of it
        return self._after(self._last_s, self._interval_s / 2**self._standstill)

    def _first(self, stamp_s: float | None) -> float:
        self.repaired += stamp_s is None
        self._last_s = 0.0
        if stamp_s is not None:
            if self._origin_s is None or not 0.0 <= stamp_s - self._origin_s <= self._latest_plausible_s:
                self._origin_s = stamp_s
            self._last_s = stamp_s - self._origin_s
        return self._last_s

    def _after(self, last_s: float, step_s: float) -> float:
        self.repaired += 1
        self._last_s = last_s + step_s
        return self._last_s


class _StampChoice:
    """Choose the presentation or the decoding stamp: the one that has run backwards less often.

    AVI stores no presentation times, and FFmpeg's guesses for MPEG-4 with B-frames swap neighbours. The rule is that of
    FFmpeg's ``guess_correct_pts``.
    """

    def __init__(self) -> None:
        self._presentation_faults = 0
        self._decoding_faults = 0
        self._last_presentation_s = float("-inf")
        self._last_decoding_s = float("-inf")
        self._decoding_lead_s: float | None = None

    def pick(self, presentation_s: float | None, decoding_s: float | None) -> float | None:
        """Return the better stamp, on the scale of the presentation stamps; None if both are missing."""
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
