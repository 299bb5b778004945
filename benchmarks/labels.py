"""Are the labels right? Runs the real networks on the labelled clips and prints, per clip, what its main person does.

    .venv/bin/python -m benchmarks.labels [--classifier i3d] [--sequence-length 32] [--skip 2] [--crop-margin 10]

The main person is the one whose boxes cover most over the whole clip. A window is one prediction; it is right when its
best label is the clip's label or one that the clips' read-me calls right as well.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recognizer.models import Models, load_models
from recognizer.pipeline import analyze
from recognizer.settings import CLASSIFIER_NAMES, TRACKER_NAMES, Settings
from recognizer.timeline import PersonTrack, Timeline

BASKETBALL = ("shooting basketball", "playing basketball", "dunking basketball", "dribbling basketball")

SINGLE_ACTION = {
    "tv_R6llTwEh07w.mp4": ("using segway",),
    "tv_v_SoccerJuggling_g24_c01.avi": ("juggling soccer ball",),
    "tv_basketball.mp4": BASKETBALL,
    "decord_flipping_a_pancake.mkv": ("flipping pancake",),
    "mmaction2_demo.mp4": ("arm wrestling",),
    "mmaction2_structuralize.mp4": BASKETBALL,
    "stgcn_ta_chi.mp4": ("tai chi",),
}
"""The seven clips with one action, and the labels that are right for it."""

SIGNING = {
    "c11_signlanguage_one_signer_ccby.mp4": ("sign language interpreting",),
    "c12_two_signers_ccby.mp4": ("sign language interpreting",),
    "c13_L-signing_R-standing_ccby.mp4": ("sign language interpreting",),
}


@dataclass(frozen=True)
class Score:
    """One clip's result."""

    action: str
    is_right: bool
    right_windows: int
    windows: int
    people: int
    took_s: float


def main_person(timeline: Timeline) -> PersonTrack:
    """The person whose boxes cover most, summed over the samples."""

    def covered(track: PersonTrack) -> float:
        sides = track.box_xyxy[:, 2:] - track.box_xyxy[:, :2]
        return float(np.sum(sides[:, 0] * sides[:, 1]))

    return max(timeline.people, key=covered)


def score(path: Path, right: tuple[str, ...], settings: Settings, models: Models) -> Score:
    """Analyse one clip and compare."""
    started_s = time.perf_counter()
    timeline = analyze(path, settings, models=models)
    took_s = time.perf_counter() - started_s
    if not timeline.predictions:
        return Score("(nobody)", False, 0, 0, len(timeline.people), took_s)
    main = main_person(timeline).person_id
    total_s: dict[str, float] = defaultdict(float)
    for segment in timeline.segments():
        if segment.person_id == main:
            total_s[segment.action] += segment.duration_s
    action = max(total_s, key=total_s.__getitem__, default="(no label)")
    windows = [prediction for prediction in timeline.predictions if prediction.person_id == main]
    right_windows = sum(prediction.top[0][0] in right for prediction in windows)
    return Score(action, action in right, right_windows, len(windows), len(timeline.people), took_s)


def main() -> None:
    """Run over all clips and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "clips")
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default="i3d")
    parser.add_argument("--sequence-length", type=int, default=32)
    parser.add_argument("--skip", type=int, default=2)
    parser.add_argument("--crop-margin", type=int, default=10)
    parser.add_argument("--tracker", choices=TRACKER_NAMES, default=Settings.tracker)
    parser.add_argument("--detector", default=Settings.model)
    arguments = parser.parse_args()
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; name their folder with --clips.")
    settings = Settings(
        model=arguments.detector,
        video_classifier_model=arguments.classifier,
        num_video_sequence_samples=arguments.sequence_length,
        skip_frame=arguments.skip,
        crop_margin_percentage=arguments.crop_margin,
        tracker=arguments.tracker,
    )
    models = load_models(settings)
    print(settings)
    for title, clips in (("single action", SINGLE_ACTION), ("signing", SIGNING)):
        print(f"\n{title:<40} {'main person, most time':<28} right  windows  people  seconds")
        scores = []
        for name, right in clips.items():
            one = score(arguments.clips / name, right, settings, models)
            scores.append(one)
            print(
                f"{name:<40} {one.action:<28} {'yes' if one.is_right else 'NO':<5}  "
                f"{one.right_windows:>3}/{one.windows:<3}  {one.people:>6}  {one.took_s:>7.1f}",
                flush=True,
            )
        right_windows, windows = sum(one.right_windows for one in scores), sum(one.windows for one in scores)
        share = 100 * right_windows / windows if windows else 0.0
        print(
            f"{sum(one.is_right for one in scores)} of {len(scores)} clips right; "
            f"{right_windows} of {windows} windows right ({share:.0f} %)"
        )


if __name__ == "__main__":
    main()
