"""What save points cost, and what it takes to go on from the last one: ``python -m benchmarks.resuming VIDEO``.

Prints processor time, which hardly depends on what else the machine does. The video is analysed once with save points,
and once more from all of them, as if it had been killed at its very end: the most that going on can cost.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.decoders import processor_s
from recognizer.analysis.file import analyze
from recognizer.analysis.save_points import Journal
from recognizer.export import timeline_json
from recognizer.networks.loading import load_models
from recognizer.settings import Settings, recommended
from recognizer.timeline.model import Timeline, frame_rate_hz
from recognizer.video import open_video


class _Timed:
    """Keeps save points in memory, and measures what making and writing them takes on the analysis's own thread."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.took_s = 0.0

    def chunks(self) -> Sequence[bytes]:
        return self.kept

    def save(self, chunk: bytes) -> None:
        self.kept.append(chunk)


def _measured(timed: _Timed) -> None:
    """Measure what the journal does."""
    for name in ("saw", "heard", "save_if_due"):
        original = getattr(Journal, name)

        def wrapped(*given: object, original: object = original) -> None:
            began_s = time.thread_time()
            original(*given)  # type: ignore[operator]
            timed.took_s += time.thread_time() - began_s

        setattr(Journal, name, wrapped)


def _document(timeline: Timeline) -> str:
    return timeline_json(timeline, include_boxes=True, include_frame_times=True)


def main() -> None:
    """Print the figures of one video."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("--classifier", default="i3d")
    options = parser.parse_args()
    with open_video(options.video) as reader:
        chosen = Settings(video_classifier_model=options.classifier)
        settings = recommended(chosen, frame_rate_hz(reader.facts))
    models = load_models(settings)
    timed = _Timed()
    _measured(timed)
    began_s = processor_s()
    whole = analyze(options.video, settings, models=models, save_points=timed)
    took_s, saving_s = processor_s() - began_s, timed.took_s
    began_s = processor_s()
    resumed = analyze(options.video, settings, models=models, save_points=timed)
    resuming_s = processor_s() - began_s
    minutes, size = whole.analysed_s / 60, sum(map(len, timed.kept))
    people = sum(len(track.time_s) for track in whole.people) / max(1, len(whole.frame_times_s)) * settings.skip_frame
    print(f"{options.video.name}: {minutes:.2f} min, {people:.1f} people at a time, {len(timed.kept)} save points")
    print(f"analysis          {took_s:8.1f} s of processor time")
    print(f"save points       {saving_s:8.2f} s, {saving_s / took_s:.2%}; {size / minutes / 1e6:.2f} MB a minute")
    print(
        f"going on from all {resuming_s:8.1f} s, {resuming_s / took_s:.1%}; an hour {resuming_s / minutes * 60:.0f} s"
    )
    print("the same bytes" if _document(whole) == _document(resumed) else "OTHER BYTES")


if __name__ == "__main__":
    main()
