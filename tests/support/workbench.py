"""Generated analyses with their videos, stored where a server finds them, so that no test has to recognize anything.

``python -m tests.support.workbench FOLDER`` stores one and prints the address that opens it; start the server with
RECOGNIZER_DATA set to the same folder.
"""

from __future__ import annotations

import argparse
import math
import sys
import uuid
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.export import timeline_from_json
from recognizer.service.store import AnalysisStore, StoredAnalysis
from recognizer.settings import Settings
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import CameraPath, Prediction, VideoInfo
from recognizer.video import VideoWriter

LABELS = ("tai chi", "jogging", "juggling balls", "yoga", "playing tennis", "waving hand", "reading book", "dribbling")
RATE = Fraction(30)
SIZE_WH = (640, 360)
SAMPLE_EVERY_S = 0.2
CLIP_S = 2.0


def generated_timeline(
    people: int = 3,
    duration_s: float = 20.0,
    *,
    seed: int = 1,
    clip_every_s: float = 1.5,
    action_s: float = 4.0,
    sample_every_s: float = SAMPLE_EVERY_S,
    sha256: str | None = "ab" * 32,
    rate: Fraction = RATE,
) -> Timeline:
    """Return a timeline in which everyone does one action after the other, and some leave and come back.

    Args:
        people: number of people.
        duration_s: length of the video.
        seed: of the random actions.
        clip_every_s: time from one clip's start to the next.
        action_s: mean duration of an action.
        sample_every_s: time from one box to the next.
        sha256: the video's hash; None for a camera.
    """
    random = np.random.default_rng(seed)
    frame_times_s = np.arange(round(duration_s * rate)) / float(rate)
    tracks, predictions = [], []
    for person_id in range(1, people + 1):
        track = _track(person_id, people, duration_s, sample_every_s)
        tracks.append(track)
        for start_s, end_s in track.presence:
            predictions += _predictions(person_id, (start_s, end_s), clip_every_s, clip_every_s / action_s, random)
    sample_times_s = np.arange(0.0, duration_s, sample_every_s)
    still = np.tile([1.0, 0.0, 0.0, 0.0], (len(sample_times_s), 1))
    return Timeline(
        video=VideoInfo(sha256, *SIZE_WH, rate, duration_s, len(frame_times_s), "h264"),
        settings=Settings(video_classifier_model="i3d"),
        people=tuple(tracks),
        predictions=tuple(predictions),
        frame_times_s=frame_times_s,
        analysed_s=duration_s,
        complete=True,
        camera=CameraPath(sample_times_s, still),
    )


def box_at(person_id: int, people: int, time_s: float) -> tuple[float, float, float, float]:
    """Return where a generated person is: each has a column of the picture and sways in it."""
    width, height = SIZE_WH
    column = width / people
    middle_x = column * (person_id - 0.5) + 0.2 * column * math.sin(0.7 * time_s + person_id)
    half = 0.25 * column
    return middle_x - half, 0.35 * height, middle_x + half, 0.9 * height


def _track(person_id: int, people: int, duration_s: float, sample_every_s: float) -> PersonTrack:
    away = (0.4 * duration_s, 0.5 * duration_s) if person_id % 3 == 0 else None
    presence = ((0.0, away[0]), (away[1], duration_s)) if away else ((0.0, duration_s),)
    times_s = np.arange(0.0, duration_s, sample_every_s)
    there = np.zeros(len(times_s), bool)
    for start_s, end_s in presence:
        there |= (times_s >= start_s) & (times_s < end_s)
    times_s = times_s[there]
    boxes = np.array([box_at(person_id, people, time_s) for time_s in times_s.tolist()], np.float32)
    return PersonTrack(person_id, times_s, boxes, np.full(len(times_s), 0.9, np.float32), presence)


def _predictions(
    person_id: int, visit: tuple[float, float], clip_every_s: float, change_share: float, random: np.random.Generator
) -> list[Prediction]:
    made: list[Prediction] = []
    begin_s, end_s = visit
    label, certainty = 0, 0.0
    while begin_s < end_s:
        if not made or random.random() < change_share:
            label, certainty = int(random.integers(len(LABELS))), float(random.uniform(0.3, 0.9))
        best = certainty + float(random.uniform(-0.05, 0.05))
        others = [(LABELS[(label + k) % len(LABELS)], (1 - best) / 2**k) for k in range(1, 5)]
        top = tuple(sorted([(LABELS[label], best), *others], key=lambda one: -one[1]))
        made.append(Prediction(person_id, begin_s, min(end_s, begin_s + CLIP_S), top, "i3d"))
        begin_s += clip_every_s
    return made


def write_video(path: Path, timeline: Timeline) -> Path:
    """Write a video of a generated timeline: each frame shows its number, and every person is a rectangle."""
    with VideoWriter(path, timeline.video.frame_rate or RATE, *SIZE_WH, preset="ultrafast") as writer:
        for number, time_s in enumerate(timeline.frame_times_s.tolist()):
            writer.write(_picture(number, len(timeline.people), time_s), time_s)
    return path


def _picture(number: int, people: int, time_s: float) -> NDArray[np.uint8]:
    width, height = SIZE_WH
    rgb = np.full((height, width, 3), 70, np.uint8)
    for person_id in range(1, people + 1):
        x1, y1, x2, y2 = map(round, box_at(person_id, people, time_s))
        shade = 60 + 37 * person_id % 160
        cv2.rectangle(rgb, (x1, y1), (x2, y2), (shade, 220 - shade, 150), -1)
        cv2.putText(rgb, str(person_id), (x1 + 4, y2 - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2)
    write_number(rgb, number)
    return rgb


def write_number(rgb: NDArray[np.uint8], number: int) -> None:
    """Burn a frame's number in: in digits for people, and below them as 16 black or white squares for tests."""
    cv2.rectangle(rgb, (0, 0), (260, 84), (0, 0, 0), -1)
    cv2.putText(rgb, f"{number:05d}", (8, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255, 255, 255), 3)
    for bit in range(16):
        value = 255 if number >> bit & 1 else 0
        rgb[56:72, 2 + 16 * bit : 18 + 16 * bit] = value


def read_number(rgb: NDArray[np.uint8]) -> int:
    """Return the number that ``write_number`` burned into a picture of the original size."""
    return sum(1 << bit for bit in range(16) if rgb[60:68, 6 + 16 * bit : 14 + 16 * bit].mean() > 127)


SHOWN_NUMBER_JS = """
    (video) => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
        const context = canvas.getContext("2d", { willReadFrequently: true });
        context.drawImage(video, 0, 0);
        let number = 0;
        for (let bit = 0; bit < 16; bit += 1) {
            if (context.getImageData(10 + 16 * bit, 64, 1, 1).data[0] > 127) number += 2 ** bit;
        }
        return number;
    }
"""
"""A JavaScript function: the number that ``write_number`` burned into the picture that a video element shows."""


def store_analysis(
    folder: Path, timeline: Timeline, video: Path | None = None, analysis_id: str | None = None
) -> StoredAnalysis:
    """Store a timeline, and its video if there is one, in a server's data folder."""
    store = AnalysisStore(folder)
    video = video or write_video(folder / "generated.mp4", timeline)
    with video.open("rb") as stream:
        file = store.add_file(stream, video.name)
    return store.save_analysis(analysis_id or uuid.uuid4().hex, file, timeline)


def main(arguments: Sequence[str]) -> None:
    """Store an analysis, generated or read from JSON, and print its address."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="RECOGNIZER_DATA of the server")
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--every", type=float, default=1.5, help="seconds from one clip to the next")
    parser.add_argument("--json", type=Path, help="a stored timeline with boxes, instead of a generated one")
    parser.add_argument("--video", type=Path, help="its video, instead of a generated one")
    given = parser.parse_args(arguments)
    if given.json is None:
        timeline = generated_timeline(given.people, given.seconds, clip_every_s=given.every)
    else:
        timeline = timeline_from_json(given.json.read_text("utf-8"))
    given.folder.mkdir(parents=True, exist_ok=True)
    stored = store_analysis(given.folder, timeline, given.video)
    print(f"/?run={stored.analysis_id}")  # noqa: T201 - the script's answer


if __name__ == "__main__":
    main(sys.argv[1:])
