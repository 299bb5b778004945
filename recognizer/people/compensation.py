"""Move boxes with the camera, so that people are compared where they are on the ground, not in the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognizer.types import CameraStep


class CameraMotion:
    """The camera's motion between any two samples of one stream.

    Args:
        time_s: times of the samples, ascending.
        steps: the camera's motion from the sample before to each; an unknown one counts as none.
    """

    def __init__(self, time_s: Sequence[float], steps: Sequence[CameraStep | None]) -> None:
        self._time_s = np.asarray(time_s, np.float64)
        known = [step if step is not None and step.is_known else _STILL for step in steps]
        self._turns = [complex(step.cosine, step.sine) for step in known]
        self._shifts = [complex(step.shift_x_px, step.shift_y_px) for step in known]

    def between(self, from_s: float, to_s: float) -> CameraStep:
        """Return the motion from the sample at one time to the sample at a later one."""
        (step,) = self.from_one_to_each(from_s, np.array([to_s]))
        return step

    def from_one_to_each(self, from_s: float, to_s: NDArray[np.float64]) -> list[CameraStep]:
        """Return the motion from the sample at one time to those at some later ones, float64 (n,), ascending."""
        first = int(np.searchsorted(self._time_s, from_s + _SAME_S))
        turn, shift = complex(1), complex(0)
        steps = []
        for last in np.searchsorted(self._time_s, to_s + _SAME_S).tolist():
            for k in range(first, last):
                turn, shift = self._turns[k] * turn, self._turns[k] * shift + self._shifts[k]
            first = last
            steps.append(CameraStep(turn.real, turn.imag, shift.real, shift.imag))
        return steps


_SAME_S = 1e-6
_STILL = CameraStep(1.0, 0.0, 0.0, 0.0)


def moved(xywh: NDArray[np.float64], camera: CameraStep, beyond: float = 0.0) -> NDArray[np.float64]:
    """Return where the camera's motion takes a box; the box itself if it moves by no more than ``beyond``.

    Args:
        xywh: float64 (4,), centre, width and height; or (8,), with their speeds.
        camera: the camera's motion.
        beyond: share of the box's width.
    """
    turn, centre = complex(camera.cosine, camera.sine), complex(xywh[0], xywh[1])
    at = turn * centre + complex(camera.shift_x_px, camera.shift_y_px)
    if abs(at - centre) <= beyond * xywh[2]:
        return xywh
    result = xywh.copy()
    result[:2] = at.real, at.imag
    result[2:4] *= abs(turn)
    if len(xywh) > 4:
        speed = turn * complex(xywh[4], xywh[5])
        result[4:6] = speed.real, speed.imag
        result[6:8] *= abs(turn)
    return result


def moved_xyxy(box_xyxy: NDArray[np.float64], camera: CameraStep) -> NDArray[np.float64]:
    """Return where the camera's motion takes a box, float64 (4,) with x1, y1, x2, y2."""
    return all_moved_xyxy(box_xyxy[None], np.array([camera])).reshape(4)


def all_moved_xyxy(boxes_xyxy: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where motions of the camera take boxes, float64 (n, 4) each, pair by pair: where ``moved`` takes one."""
    cosine, sine, shift_x_px, shift_y_px = steps.T
    halves = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]) / 2
    x, y = (boxes_xyxy[:, :2] + halves).T
    at_x, at_y = cosine * x - sine * y + shift_x_px, cosine * y + sine * x + shift_y_px
    zoom = np.where((at_x == x) & (at_y == y), 1.0, np.hypot(cosine, sine))
    halves = halves * zoom[:, None]
    centres = np.stack((at_x, at_y), axis=1)
    moved_boxes = np.concatenate((centres - halves, centres + halves), axis=1)
    return np.where((steps == _STILL).all(axis=1)[:, None], boxes_xyxy, moved_boxes)
