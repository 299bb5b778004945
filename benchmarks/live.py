"""How live is the camera's page? Feeds its own frame path from real clips at the camera's 30 frames a second.

    .venv/bin/python -m benchmarks.live [--classifier i3d] [--seconds 30] [--people 1,3,6] [--random-weights]

Frames are 640 x 480; several people are several real clips beside one another. Printed per number of people: frames per
second returned, median and 95th percentile of the time from a frame's arrival to its return, seconds from a person's
first frame to the first label, frames in which nobody was looked for, milliseconds to name a clip.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from recognizer.classifiers.catalogue import spec_of
from recognizer.classifiers.network import NetworkClassifier
from recognizer.live import LiveStream
from recognizer.models import Models, load_detector, load_models
from recognizer.palette import ActionPalette
from recognizer.settings import CLASSIFIER_NAMES, Settings
from recognizer.types import CROP_SIZE_PX, Clip
from recognizer.video import open_video

CAMERA_HZ = 30.0
WIDTH, HEIGHT = 640, 480

CLIPS = (
    "stgcn_ta_chi.mp4",
    "tv_v_SoccerJuggling_g24_c01.avi",
    "c11_signlanguage_one_signer_ccby.mp4",
    "tv_R6llTwEh07w.mp4",
    "tv_basketball.mp4",
    "stgcn_ta_chi.mp4",
)
"""One person each; beside one another for as many people as are asked for."""

COLUMNS = {1: 1, 3: 3, 6: 3}


def camera_frames(clips: Path, people: int, frames: int) -> list[NDArray[np.uint8]]:
    """What the camera sees: uint8 (480, 640, 3) each, the clips going back and forth."""
    columns = COLUMNS.get(people, people)
    rows = -(-people // columns)
    cell_w, cell_h = WIDTH // columns, HEIGHT // rows
    canvases = [np.full((HEIGHT, WIDTH, 3), 96, np.uint8) for _ in range(frames)]
    for cell, name in enumerate(CLIPS[:people]):
        with open_video(clips / name) as reader:
            pictures = [_fitted(frame.rgb, cell_w, cell_h) for frame in reader.frames(lambda index, _: index < 200)]
        there_and_back = pictures + pictures[::-1]
        top, left = cell // columns * cell_h, cell % columns * cell_w
        for k, canvas in enumerate(canvases):
            canvas[top : top + cell_h, left : left + cell_w] = there_and_back[k % len(there_and_back)]
    return canvases


def _fitted(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The middle of the picture, scaled to fill the cell."""
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    size = (max(width, round(rgb.shape[1] * scale)), max(height, round(rgb.shape[0] * scale)))
    scaled = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.asarray(scaled[top : top + height, left : left + width], np.uint8)


def run(models: Models, settings: Settings, frames: list[NDArray[np.uint8]]) -> str:
    """Feed the frames in real time; returns a line of the table."""
    stream = LiveStream(models, settings, lambda _: models, ActionPalette())
    delays_ms, first_seen_s, first_label_s = [], {}, {}
    started_s = time.monotonic()
    for k, frame in enumerate(frames):
        due_s = started_s + k / CAMERA_HZ
        time.sleep(max(0.0, due_s - time.monotonic()))
        # a frame arrives when the camera sends it, also when the one before is still being drawn
        arrived_s = time.monotonic()
        stream.frame(frame, arrived_s)
        now_s = time.monotonic()
        delays_ms.append((now_s - due_s) * 1000)
        for person_id, _ in stream.labels():
            first_seen_s.setdefault(person_id, now_s)
        for person_id, label in stream.labels():
            if label is not None:
                first_label_s.setdefault(person_id, now_s)
    took_s = time.monotonic() - started_s
    stats = stream.stats()
    stream.close()
    waits_s = [first_label_s[person_id] - first_seen_s[person_id] for person_id in first_label_s]
    wait = f"{np.median(waits_s):.1f}" if waits_s else "-"
    return (
        f"{len(frames) / took_s:>8.1f}  {np.median(delays_ms):>9.1f}  {np.percentile(delays_ms, 95):>7.1f}  "
        f"{wait:>11}  {stats.followed_per_s:>10.1f}  {stats.dropped_frames:>7}  {stats.clip_ms or float('nan'):>7.0f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "clips")
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default="i3d")
    parser.add_argument("--sequence-length", type=int, default=Settings.num_video_sequence_samples)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--people", default="1,3,6")
    parser.add_argument("--random-weights", action="store_true", help="for the speed of a network that is not here")
    arguments = parser.parse_args()
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; name their folder with --clips.")
    settings = Settings(
        video_classifier_model=arguments.classifier, num_video_sequence_samples=arguments.sequence_length
    )
    if arguments.random_weights:
        torch.manual_seed(0)
        spec = spec_of(arguments.classifier)
        classifier = NetworkClassifier(spec, spec.build(len(spec.labels)), spec.labels)
        models = Models(load_detector(settings)[0], classifier)
    else:
        models = load_models(settings)
    grey = np.full((settings.num_video_sequence_samples, CROP_SIZE_PX, CROP_SIZE_PX, 3), 128, np.uint8)
    models.classifier.classify([Clip(person_id=1, start_s=0.0, end_s=1.0, rgb=grey)])
    models.detector.detect([np.zeros((HEIGHT, WIDTH, 3), np.uint8)])
    print(f"{arguments.classifier}, {settings.num_video_sequence_samples} samples, {arguments.seconds:.0f} s each")
    print("people  frames/s  median ms  95 % ms  first label  followed/s  dropped  ms/clip")
    for people in (int(part) for part in arguments.people.split(",")):
        frames = camera_frames(arguments.clips, people, round(arguments.seconds * CAMERA_HZ))
        print(f"{people:>6}  {run(models, settings, frames)}", flush=True)


if __name__ == "__main__":
    main()
