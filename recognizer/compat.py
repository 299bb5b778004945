"""The documented class: takes a frame, returns the annotated frame and everyone's label.

action = ActionRecognition(model="yolo26n.pt", video_classifier_model="s3d", show=False)
results = action(im0)  # a BGR frame, as OpenCV gives it
results.plot_im, results.total_tracks, results.action_labels, results.action_confs
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.analysis.following import PeopleFollower
from recognizer.analysis.labeling import ActionLabeler
from recognizer.analysis.stream import STREAM
from recognizer.drawing.overlay import OverlayPerson, draw_overlay
from recognizer.errors import RecognizerError, SettingsError
from recognizer.networks.loading import Models, load_models
from recognizer.palette import UNKNOWN_STYLE, ActionPalette, rgb_of
from recognizer.settings import DEFAULT_FRAME_RATE_HZ, Settings
from recognizer.types import Box, Frame

_WINDOW = "Who does what"
_NO_SCREEN = "show=True needs a screen, and there is none here; pass show=False and use results.plot_im."
_HIGHEST_FRAME_RATE_HZ = 1000.0


@dataclass(frozen=True, eq=False)
class ActionResults:
    """The results after one frame.

    Attributes:
        plot_im: uint8 (H, W, 3), BGR: a copy of the frame with boxes and labels.
        total_tracks: number of people tracked in this frame.
        action_labels: the latest label of each person, by person id; people without a label yet are missing.
        action_confs: its probability, for the same people.
    """

    plot_im: NDArray[np.uint8]
    total_tracks: int
    action_labels: dict[int, str]
    action_confs: dict[int, float]


class ActionRecognition:
    """One stream of frames: detects and tracks people, and labels what each of them does.

    Frames carry no time: frame k is assumed to be at ``k / frame_rate`` seconds. Detection runs on every
    ``skip_frame``-th frame; on the others, people stay where they were last detected. Use one object per stream. Its
    memory grows by about 32 bytes per person and detection.

    Args:
        model: file name of the person detector.
        video_classifier_model: name of the network that labels clips.
        crop_margin_percentage: margin around a person's box, in % of its longer side, 0 to 100.
        num_video_sequence_samples: number of crops of one person in a clip, 1 to 64.
        skip_frame: one frame in this many is sampled, 1 to 30.
        show: also show each annotated frame in a window.
        frame_rate: frames per second of the stream.
        models: loaded networks, to share them between streams.
        **more_settings: any other field of ``Settings``, such as ``tracker``, ``steady_crop`` or ``checkpoint_path``.

    Raises:
        SettingsError: an argument is outside its range.
        WeightsError: a network's weights are unavailable; no other network is used instead.
        CheckpointError: the checkpoint or the label file does not fit.
        RecognizerError: ``show`` is set, but there is no screen.
    """

    def __init__(
        self,
        model: str = Settings.model,
        video_classifier_model: str = Settings.video_classifier_model,
        crop_margin_percentage: int = Settings.crop_margin_percentage,
        num_video_sequence_samples: int = Settings.num_video_sequence_samples,
        skip_frame: int = Settings.skip_frame,
        show: bool = False,
        *,
        frame_rate: float = DEFAULT_FRAME_RATE_HZ,
        models: Models | None = None,
        **more_settings: Any,
    ) -> None:
        self.settings = Settings(
            model=model,
            video_classifier_model=video_classifier_model,
            crop_margin_percentage=crop_margin_percentage,
            num_video_sequence_samples=num_video_sequence_samples,
            skip_frame=skip_frame,
            **more_settings,
        )
        rate = _frame_rate(frame_rate)
        if show and not _has_screen():
            raise RecognizerError(_NO_SCREEN)
        self._show = show
        self._frame_period_s = float(1 / rate)
        models = models or load_models(self.settings)
        self._follower = PeopleFollower(models, self.settings, float(rate))
        self._labeler = ActionLabeler(models, self.settings, replace(STREAM, frame_rate=rate))
        self._palette = ActionPalette()
        self._frame_count = 0
        self._first_size_wh: tuple[int, int] | None = None

    def __call__(self, im0: NDArray[np.uint8]) -> ActionResults:
        """Take the next frame of the stream, uint8 (H, W, 3), BGR.

        The picture is used as it is. If its pixels are not square, or it is interlaced or HDR, convert it first, as
        ``recognizer.video.open_video`` does for files. The size may change: larger and smaller frames are scaled to the
        first one's size before detection.

        Raises:
            ValueError: the array has another type or shape.
        """
        rgb = _checked_rgb(im0)
        self._follow(rgb)
        to_frame = self._scale_to(rgb)
        labels: dict[int, str] = {}
        probabilities: dict[int, float] = {}
        shown = []
        for person in self._follower.people:
            prediction = self._labeler.latest_prediction(person.person_id)
            label, probability = prediction.top[0] if prediction is not None else (None, None)
            style = UNKNOWN_STYLE
            if label is not None and probability is not None:
                labels[person.person_id], probabilities[person.person_id] = label, probability
                style = self._palette.style(label)
            box = _scaled(person.box_xyxy, *to_frame)
            colour = rgb_of(style.colour(dark=False))
            shown.append(OverlayPerson(person.person_id, box, label, probability, colour))
        plot_im = np.asarray(cv2.cvtColor(draw_overlay(rgb, shown), cv2.COLOR_RGB2BGR), np.uint8)
        if self._show:
            _show(plot_im)
        return ActionResults(plot_im, len(shown), labels, probabilities)

    def _follow(self, rgb: NDArray[np.uint8]) -> None:
        """Track people in the frame if it is sampled. ``Recognizer.step`` would work, but stores every frame's time."""
        index = self._frame_count
        self._frame_count += 1
        time_s = index * self._frame_period_s
        height, width = rgb.shape[:2]
        if self._first_size_wh is None:
            self._first_size_wh = (width, height)
        if not self._follower.take_sample(time_s):
            return
        if (width, height) != self._first_size_wh:
            # trackers compare each picture with the previous one, so all must have the same size
            rgb = np.asarray(cv2.resize(rgb, self._first_size_wh, interpolation=cv2.INTER_AREA), np.uint8)
        frame = Frame(index, time_s, rgb)
        (detections,) = self._follower.find([frame])
        self._labeler.label(self._labeler.add(self._follower.observe(frame, detections)))

    def _scale_to(self, rgb: NDArray[np.uint8]) -> tuple[float, float]:
        width, height = self._first_size_wh or (rgb.shape[1], rgb.shape[0])
        return rgb.shape[1] / width, rgb.shape[0] / height


def _scaled(box_xyxy: Box, scale_x: float, scale_y: float) -> Box:
    x1, y1, x2, y2 = box_xyxy
    return x1 * scale_x, y1 * scale_y, x2 * scale_x, y2 * scale_y


def _frame_rate(frame_rate: float) -> Fraction:
    rate = float(frame_rate)
    if not (math.isfinite(rate) and 0 < rate <= _HIGHEST_FRAME_RATE_HZ):
        raise SettingsError(
            f"frame_rate is {frame_rate}; give the stream's frames per second, above 0 and up to "
            f"{_HIGHEST_FRAME_RATE_HZ:g}."
        )
    # recovers fractions such as 30000/1001 from their decimals
    return max(Fraction(rate).limit_denominator(1001), Fraction(1, 1001))


def _checked_rgb(im0: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a copy of the picture in RGB."""
    if not isinstance(im0, np.ndarray):
        raise ValueError(f"a frame is a uint8 array (H, W, 3) in BGR, got {type(im0).__name__}; was the stream read?")
    if im0.dtype != np.uint8 or im0.ndim != 3 or im0.shape[2] != 3 or not im0.size:
        raise ValueError(
            f"a frame is a uint8 array (H, W, 3) in BGR, got {im0.dtype} {im0.shape}; convert it with OpenCV."
        )
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(im0), cv2.COLOR_BGR2RGB), np.uint8)


def _has_screen() -> bool:
    """Return whether there is a screen. Asking OpenCV is unsafe: without one, its window library ends the process."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show(bgr: NDArray[np.uint8]) -> None:
    try:
        cv2.imshow(_WINDOW, bgr)
        cv2.waitKey(1)
    except cv2.error as error:  # this build of OpenCV has no windows
        raise RecognizerError(_NO_SCREEN) from error
