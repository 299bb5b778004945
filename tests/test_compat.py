"""The documented class: the same calls, with scripted networks and once with real ones."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from recognizer import ActionRecognition
from recognizer.errors import RecognizerError, SettingsError, WeightsError
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.networks.fallback import usable_classifier
from recognizer.networks.loading import Models
from recognizer.settings import SETTING_SPECS, Settings
from recognizer.types import Clip, Detection, Prediction
from tests.support.settings import another

HEIGHT, WIDTH = 120, 160
BOX = (40.0, 50.0, 100.0, 110.0)


class Scripted:
    """Detector and classifier in one: the boxes of each call are scripted, every clip is jogging."""

    name = "s3d"
    labels = ("jogging", "archery")

    def __init__(self, script: Sequence[Sequence[tuple[float, float, float, float]]] = ()) -> None:
        self.script = list(script)
        self.seen: list[np.ndarray] = []
        self.clips: list[Clip] = []

    def detect(self, frames_rgb: Sequence[np.ndarray]) -> list[list[Detection]]:
        found = []
        for rgb in frames_rgb:
            boxes = self.script[len(self.seen)] if self.script else [BOX]
            self.seen.append(rgb.copy())
            found.append([Detection(box, 0.9) for box in boxes])
        return found

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        self.clips += clips
        top = (("jogging", 0.85), ("archery", 0.15))
        return [Prediction(clip.person_id, clip.start_s, clip.end_s, top, self.name) for clip in clips]

    def warm_up(self, samples: int) -> None:
        """Needs no set-up."""


def make(networks: Scripted, **given: Any) -> ActionRecognition:
    return ActionRecognition(models=Models(networks, networks), **given)


def frame(value: int = 90, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_arguments_and_defaults_are_the_documented_ones() -> None:
    settings = make(Scripted()).settings
    assert settings == Settings()
    assert (settings.model, settings.video_classifier_model) == ("yolo26n.pt", "s3d")
    given = make(Scripted(), model="yolo26s.pt", video_classifier_model="i3d", show=False).settings
    assert (given.model, given.video_classifier_model) == ("yolo26s.pt", "i3d")


def test_the_documented_arguments_keep_their_places_and_defaults() -> None:
    parameters = list(inspect.signature(ActionRecognition).parameters.values())[:6]
    assert [(p.name, p.default) for p in parameters] == [
        ("model", "yolo26n.pt"),
        ("video_classifier_model", "s3d"),
        ("crop_margin_percentage", 10),
        ("num_video_sequence_samples", 8),
        ("skip_frame", 2),
        ("show", False),
    ]


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
def test_every_setting_can_be_given(name: str) -> None:
    """Regression: four settings of the recommended preset were missing."""
    wanted = another(name)
    given = {key: value for key, value in wanted.as_dict().items() if value != SETTING_SPECS[key].default}
    assert make(Scripted(), **given).settings == wanted


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'tracking'"):
        make(Scripted(), tracking="botsort")


def test_detecting_comes_before_the_first_label() -> None:
    networks = Scripted()
    action = make(networks)  # 8 samples, every second frame
    results = [action(frame()) for _ in range(16)]
    assert [len(result.action_labels) for result in results] == [0] * 14 + [1, 1]
    assert {result.total_tracks for result in results} == {1}
    assert results[-1].action_labels == {1: "jogging"}
    assert results[-1].action_confs == {1: 0.85}
    assert len(networks.seen) == 8


def test_overlay_says_detecting_then_the_label(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []

    def spy(rgb: np.ndarray, people: Sequence[Any]) -> np.ndarray:
        texts.extend(person.text for person in people)
        return rgb.copy()

    monkeypatch.setattr("recognizer.compat.draw_overlay", spy)
    action = make(Scripted(), num_video_sequence_samples=2, skip_frame=1)
    for _ in range(3):
        action(frame())
    assert texts == ["detecting...", "jogging (0.85)", "jogging (0.85)"]


def test_frame_of_the_caller_is_not_drawn_on() -> None:
    action = make(Scripted())
    im0 = frame()
    results = action(im0)
    assert (im0 == 90).all()
    assert results.plot_im.shape == im0.shape
    assert results.plot_im.dtype == np.uint8
    assert not np.shares_memory(results.plot_im, im0)
    assert (results.plot_im != im0).any()


def test_read_only_and_turned_views_are_taken() -> None:
    im0 = frame()[::-1, ::-1]
    im0.setflags(write=False)
    assert make(Scripted())(im0).plot_im.shape == (HEIGHT, WIDTH, 3)


def test_colours_go_in_and_come_out_as_bgr() -> None:
    networks = Scripted([[]])
    im0 = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    im0[..., 0] = 200  # blue
    results = make(networks)(im0)
    assert networks.seen[0][0, 0].tolist() == [0, 0, 200]
    assert (results.plot_im == im0).all()


def test_people_without_a_box_in_the_frame_have_no_label() -> None:
    networks = Scripted([[BOX], [BOX], []])
    action = make(networks, num_video_sequence_samples=2, skip_frame=1)
    action(frame())
    assert action(frame()).action_labels == {1: "jogging"}
    results = action(frame())
    assert (results.total_tracks, results.action_labels, results.action_confs) == (0, {}, {})


def test_boxes_stay_on_skipped_frames() -> None:
    action = make(Scripted(), skip_frame=4)
    pictures = [action(frame()).plot_im for _ in range(4)]
    assert all((picture == pictures[0]).all() for picture in pictures)
    assert (pictures[0] != 90).any()


def test_time_of_a_frame_is_its_number_over_the_frame_rate() -> None:
    networks = Scripted()
    action = make(networks, num_video_sequence_samples=2, skip_frame=5, frame_rate=10)
    for _ in range(6):
        action(frame())
    (clip,) = networks.clips
    assert (clip.start_s, clip.end_s) == (pytest.approx(0.0), pytest.approx(1.0))


def test_skip_interval_is_in_frames_at_every_frame_rate() -> None:
    for rate_hz in (7.5, 23.976, 30000 / 1001, 59.94, 240):
        networks = Scripted()
        action = make(networks, skip_frame=3, frame_rate=rate_hz)
        for _ in range(300):
            action(frame(height=48, width=64))
        assert len(networks.seen) == 100, rate_hz


@pytest.mark.parametrize("tracker", ["bytetrack", "botsort"])
def test_size_may_change_between_frames(tracker: str) -> None:
    networks = Scripted()
    action = make(networks, num_video_sequence_samples=4, skip_frame=1, tracker=tracker)
    noise = np.random.default_rng(0)
    results = []
    for height, width in [(120, 160)] * 3 + [(240, 320)] * 3 + [(60, 50)] * 3:
        im0 = noise.integers(0, 255, (height, width, 3), np.uint8)
        results.append(action(im0))
        assert results[-1].plot_im.shape == im0.shape
    assert {rgb.shape for rgb in networks.seen} == {(120, 160, 3)}
    assert results[-1].action_labels == {1: "jogging"}


def test_box_is_drawn_in_the_size_of_the_frame() -> None:
    action = make(Scripted(), skip_frame=30)
    action(frame())
    plot_im = action(frame(height=2 * HEIGHT, width=2 * WIDTH)).plot_im
    # the right edge of the box, at twice the first frame's pixels
    assert (plot_im[180, 195:203] != 90).any()
    assert (plot_im[180, 95:103] == 90).all()


def test_two_objects_do_not_share_people() -> None:
    networks = Scripted()
    one, other = make(networks), make(networks)
    for _ in range(4):
        one(frame())
    assert other(frame()).total_tracks == 1
    assert one(frame()).total_tracks == 1


@pytest.mark.parametrize(
    "im0",
    [
        None,
        [[0]],
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_an_array_that_is_no_bgr_picture_is_refused(im0: Any) -> None:
    with pytest.raises(ValueError, match=r"a frame is a uint8 array \(H, W, 3\) in BGR, got"):
        make(Scripted())(im0)


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1e9])
def test_frame_rate_must_be_one(rate: float) -> None:
    with pytest.raises(SettingsError, match="frame_rate is"):
        make(Scripted(), frame_rate=rate)


def test_setting_out_of_range_is_refused() -> None:
    with pytest.raises(SettingsError, match="skip_frame is 0"):
        make(Scripted(), skip_frame=0)


def test_no_other_network_is_used_where_the_weights_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(name: str, *, progress: object = None) -> Path:
        raise WeightsError(f"{name} cannot be had; put it into a folder.")

    monkeypatch.setattr("recognizer.weights.resolve", resolve)
    with pytest.raises(WeightsError, match="cannot be had"):
        ActionRecognition(model="yolo26n.pt", video_classifier_model="s3d", show=False)


def test_show_without_a_screen_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognizer.compat.sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(RecognizerError, match="show=True needs a screen"):
        make(Scripted(), show=True)


def test_show_shows_the_annotated_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[np.ndarray] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "imshow", lambda _, picture: shown.append(picture))
    monkeypatch.setattr(cv2, "waitKey", lambda _: -1)
    results = make(Scripted(), show=True)(frame())
    assert len(shown) == 1
    assert (shown[0] == results.plot_im).all()


def test_opencv_without_windows_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def imshow(*_: object) -> None:
        raise cv2.error("The function is not implemented.")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "imshow", imshow)
    with pytest.raises(RecognizerError, match="show=True needs a screen"):
        make(Scripted(), show=True)(frame())


@pytest.mark.real
def test_documented_example_runs_on_a_real_clip(clips_dir: Path) -> None:
    # s3d as documented; where its weights cannot be had, i3d
    classifier = usable_classifier("s3d").name
    action = ActionRecognition(model="yolo26n.pt", video_classifier_model=classifier, show=False)
    video = cv2.VideoCapture(str(clips_dir / "stgcn_ta_chi.mp4"))
    assert video.isOpened()
    results = None
    for k in range(40):
        success, im0 = video.read()
        assert success
        before = im0.copy()
        results = action(im0)
        assert (im0 == before).all()
        assert results.plot_im.shape == im0.shape
        assert results.total_tracks == 1
        assert set(results.action_labels) == set(results.action_confs) == ({1} if k >= 14 else set())
    video.release()
    assert results is not None
    assert results.action_labels[1] in KINETICS400_LABELS
    assert 0 < results.action_confs[1] <= 1
    assert (results.plot_im != im0).any()
