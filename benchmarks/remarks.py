"""Whom does the remark about weakly found people name, and is that right? Runs the detector on the shared clips.

    .venv/bin/python -m benchmarks.remarks [--detector-confidence 0.4] [--only CLIP ...]

People are followed with the recommended settings; nobody is classified. For each clip it prints the numbers that are
there for a second or longer, those that are found weakly, and those that are named after a closer look. Which boxes
show no whole person was written down by eye (``NO_PERSON``), for the default detector confidence.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from benchmarks.identities import Nobody, followed
from benchmarks.true_actions import CLIPS, person_at
from recognizer.analysis.closer_look import unconfirmed
from recognizer.analysis.file import weakly_found
from recognizer.networks.loading import Models, load_detector
from recognizer.settings import Settings, recommended
from recognizer.timeline.model import PersonTrack, Timeline, frame_rate_hz
from recognizer.video import open_video

CLIPS_DIR = Path(__file__).resolve().parents[2] / "shared" / "clips"

NO_PERSON = {
    "c11_signlanguage_one_signer_ccby.mp4": (("chair", 9.0, 0.95, 0.79),),
    "mmaction2_structuralize.mp4": (("dark thing", 8.94, 0.26, 0.434),),
    "videollava_sample_demo_1.mp4": (("cloth", 9.2, 0.95, 0.52),),
    "openpose_video.avi": (("bollard", 2.76, 0.222, 0.394),),
    "tennis_analyzer_tennis.mp4": (("logo before a spectator", 7.04, 0.837, 0.058),),
}
"""What has a number for a second or longer and is no whole person: what it is, and a time and place in its box."""


def things(clip: str, timeline: Timeline) -> dict[int, str]:
    """Return what the numbers of a clip are that show no whole person."""
    video = timeline.video
    found = {
        person_at(timeline, time_s, x * video.width, y * video.height): what
        for what, time_s, x, y in NO_PERSON.get(clip, ())
    }
    return {number: what for number, what in found.items() if number is not None}


def main() -> None:
    """Print a line for each clip, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=CLIPS_DIR)
    parser.add_argument("--detector-confidence", type=float, default=Settings.min_person_confidence)
    parser.add_argument("--only", nargs="+", choices=tuple(CLIPS), default=tuple(CLIPS), metavar="CLIP")
    arguments = parser.parse_args()
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; give their folder with --clips.")
    least = arguments.detector_confidence
    detector, _ = load_detector(Settings())
    models = Models(detector, Nobody())
    sums = {"weak": [0, 0], "told": [0, 0]}
    for clip in arguments.only:
        path = arguments.clips / clip
        with open_video(path) as reader:
            settings = recommended(Settings(video_classifier_model="i3d"), frame_rate_hz(reader.info))
        _, timeline, _ = followed(path, replace(settings, min_person_confidence=least), models)
        weak = weakly_found(timeline)
        told = unconfirmed(weak, least, path, timeline.video, detector, lambda: False)
        known = things(clip, timeline)
        for name, people in (("weak", weak), ("told", told)):
            right = sum(one.person_id in known for one in people)
            sums[name][0] += right
            sums[name][1] += len(people) - right
        there = len(timeline.without_brief.people)
        print(f"{clip[:40]:<40} {there:>3} numbers; found weakly: {_named(weak, known)}; told: {_named(told, known)}",
              flush=True)  # fmt: skip
    for name, (right, wrong) in sums.items():
        print(f"{name}: {right} that are no whole person, {wrong} people")


def _named(people: Collection[PersonTrack], known: dict[int, str]) -> str:
    each = (f"{one.person_id} ({known.get(one.person_id, 'a person')})" for one in people)
    return ", ".join(each) or "none"


if __name__ == "__main__":
    main()
