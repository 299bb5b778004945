"""Compare how long analyses take with what was expected before: ``python -m benchmarks.estimates CLIP [CLIP ...]``.

Each clip is analyzed once. Its time is then foretold from the runs on the other clips, as it is on a machine that has
never seen the clip, and printed with the ratio of both. Also prints what decoding takes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from recognizer.analysis.file import analyze
from recognizer.networks.loading import load_models
from recognizer.service.estimates import Meter, RunCost, estimate
from recognizer.settings import Settings
from recognizer.types import VideoInfo
from recognizer.video import open_video


def main() -> None:
    """Analyze, foretell, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--classifier", default="i3d")
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--skip", type=int, default=2)
    options = parser.parse_args()
    settings = Settings(
        video_classifier_model=options.classifier, num_video_sequence_samples=options.samples, skip_frame=options.skip
    )
    models = load_models(settings)
    models.classifier.warm_up(settings.num_video_sequence_samples)
    runs: list[tuple[str, VideoInfo, RunCost, float]] = []
    for clip in options.clips:
        with open_video(clip) as reader:
            facts = reader.info
            began_s = time.perf_counter()
            pictures = sum(1 for _ in reader.frames(lambda _index, _time_s: False)) or len(reader.frame_times_s)
            each_ms = 1000 * (time.perf_counter() - began_s) / max(1, pictures)
        began_s = time.perf_counter()
        meter = Meter(models)
        cost = meter.cost(analyze(clip, settings, models=meter.models))
        took_s = time.perf_counter() - began_s
        size = f"{facts.width} x {facts.height}"
        print(f"{clip.name}: {size}, {facts.frame_count} frames, decoding {each_ms:.2f} ms a frame, {took_s:.1f} s")
        if cost is not None:
            runs.append((clip.name, facts, cost, took_s))
    for name, facts, cost, took_s in runs:
        expected = estimate(facts, settings, [other for *_, other, _ in runs if other is not cost])
        if expected is not None:
            ratio = expected.expected_s / took_s
            print(f"{name}: {expected.expected_s:.1f} s expected, {took_s:.1f} s taken, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
