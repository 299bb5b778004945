"""How live is the camera's page? Feeds its frame path from real clips at the camera's 30 frames per second.

    .venv/bin/python -m benchmarks.live [--classifier i3d] [--seconds 30] [--people 1,3,6] [--random-weights]
    .venv/bin/python -m benchmarks.live --browser

Frames are 640 x 480; several people are several real clips side by side. Printed for each number of people: frames per
second returned; median and 95th percentile of the time from a frame's arrival to its return; seconds from a person's
first frame to the first label; detections per second; frames without detection; milliseconds to classify a clip; how
far a label lags behind the picture; clips joined with the next; and clips never classified.

With ``--browser`` a Chromium on the same cores sends the frames and shows the result: it counts the frames per
second that it showed, the first label is timed from pressing Start, and the rest is read from the page.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.live_browser import app_server, camera_page, frames_shown, picture, told
from benchmarks.live_clips import CAMERA_HZ, CLIPS_DIR, HEIGHT, WIDTH, camera_frames, write_camera_file
from benchmarks.random_weights import with_random_weights
from recognizer.live.stream import LiveStream
from recognizer.networks.loading import Models, load_models
from recognizer.palette import ActionPalette
from recognizer.settings import CLASSIFIER_NAMES, Settings

HEADER = "people  frames/s  median ms  95 % ms  first label s  looks/s  dropped  ms/clip  behind s  joined  lost clips"
_NAN = float("nan")


def _row(people: int, figures: dict[str, float | None]) -> str:
    values = {name: _NAN if value is None else value for name, value in figures.items()}
    return (
        f"{people:>6}  {values['frames']:>8.1f}  {values['median']:>9.1f}  {values['p95']:>7.1f}  "
        f"{values['first']:>13.1f}  {values['looks']:>7.1f}  {values['dropped']:>7.0f}  {values['clip']:>7.0f}  "
        f"{values['behind']:>8.2f}  {values['joined']:>6.0f}  {values['lost']:>10.0f}"
    )


def run(models: Models, settings: Settings, frames: list[NDArray[np.uint8]]) -> dict[str, float | None]:
    """Feed the frames in real time; return the figures of one line."""
    stream = LiveStream(models, settings, lambda _: models, ActionPalette())
    delays_ms: list[float] = []
    first_seen_s: dict[int, float] = {}
    first_label_s: dict[int, float] = {}
    started_s = time.monotonic()
    for k, frame in enumerate(frames):
        due_s = started_s + k / CAMERA_HZ
        time.sleep(max(0.0, due_s - time.monotonic()))
        # a frame arrives when the camera sends it, even if the previous one is still being drawn
        stream.frame(frame, time.monotonic())
        now_s = time.monotonic()
        delays_ms.append((now_s - due_s) * 1000)
        for person_id, label in stream.overlay.labels():
            first_seen_s.setdefault(person_id, now_s)
            if label is not None:
                first_label_s.setdefault(person_id, now_s)
    took_s = time.monotonic() - started_s
    stats = stream.stats()
    stream.close()
    waits_s = [first_label_s[person_id] - first_seen_s[person_id] for person_id in first_label_s]
    return {
        "frames": len(frames) / took_s,
        "median": float(np.median(delays_ms)),
        "p95": float(np.percentile(delays_ms, 95)),
        "first": float(np.median(waits_s)) if waits_s else None,
        "looks": stats.detections_per_s,
        "dropped": stats.skipped_frames,
        "clip": stats.labeling.clip_ms,
        "behind": stats.labeling.behind_s,
        "joined": stats.labeling.joined_clips,
        "lost": stats.labeling.dropped_clips,
    }


def run_in_browser(url: str, frames: list[NDArray[np.uint8]], seconds: float) -> dict[str, float | None]:
    """Let Chromium send the frames and show the result; return the figures of one line."""
    with tempfile.TemporaryDirectory() as folder:
        camera = Path(folder) / "camera.y4m"
        write_camera_file(frames, camera)
        with camera_page(url, camera) as page:
            picture(page).get_by_role("button", name="Start").click()
            started_s = time.monotonic()
            label = (
                page.get_by_test_id("stMarkdownContainer")
                .filter(has_text="(0.")
                .or_(page.get_by_test_id("stMarkdownContainer").filter(has_text="(1."))
            )
            label.first.wait_for(timeout=120_000)
            first_s = time.monotonic() - started_s
            began_s, began = time.monotonic(), frames_shown(page)
            page.wait_for_timeout(seconds * 1000)
            shown_per_s = (frames_shown(page) - began) / (time.monotonic() - began_s)
            figures: dict[str, float | None] = {
                "frames": shown_per_s,
                "median": told(page, r"drawn (\d+) ms"),
                "p95": told(page, r"nearly all within (\d+) ms"),
                "first": first_s,
                "looks": told(page, r"Detection runs (\d+) times"),
                "dropped": told(page, r"(\d+) frames? skipped"),
                "clip": told(page, r"(\d+) ms to classify a clip"),
                "behind": told(page, r"a label is ([\d.]+) s behind"),
                "joined": told(page, r"(\d+) clips? joined"),
                "lost": told(page, r"(\d+) clips? skipped"),
            }
            picture(page).get_by_role("button", name="Stop").click()
            page.get_by_role("button", name="Timeline as CSV").wait_for(timeout=60_000)
    return figures


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=CLIPS_DIR)
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default="i3d")
    parser.add_argument("--sequence-length", type=int, default=Settings.num_video_sequence_samples)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--people", default="1,3,6")
    parser.add_argument("--random-weights", action="store_true", help="measure speed without the weights")
    parser.add_argument("--browser", action="store_true", help="measure through Chromium, with the page's own settings")
    arguments = parser.parse_args()
    counts = [int(part) for part in arguments.people.split(",")]
    frames_in_all = round(arguments.seconds * CAMERA_HZ)
    if arguments.browser:
        print(f"through Chromium, the page's first settings, {arguments.seconds:.0f} s each\n{HEADER}")
        with tempfile.TemporaryDirectory() as folder, app_server(Path(folder)) as server:
            for people in counts:
                frames = camera_frames(arguments.clips, people, min(frames_in_all, 10 * CAMERA_HZ))
                print(_row(people, run_in_browser(server.url, frames, arguments.seconds)), flush=True)
        return
    settings = Settings(
        video_classifier_model=arguments.classifier, num_video_sequence_samples=arguments.sequence_length
    )
    with tempfile.TemporaryDirectory() as folder:
        if arguments.random_weights:
            settings = with_random_weights(settings, Path(folder))
        models = load_models(settings)
    models.classifier.warm_up(settings.num_video_sequence_samples)
    models.detector.detect([np.zeros((HEIGHT, WIDTH, 3), np.uint8)])
    samples = settings.num_video_sequence_samples
    print(f"{arguments.classifier}, {samples} samples, {arguments.seconds:.0f} s each\n{HEADER}")
    for people in counts:
        print(_row(people, run(models, settings, camera_frames(arguments.clips, people, frames_in_all))), flush=True)


if __name__ == "__main__":
    main()
