"""Fit and cross-validate how sure a label is, from the evidence of both views and of motion.

    .venv/bin/python -m benchmarks.evidence [--classifier i3d] [--keep FOLDER] [--diagram FILE]

Runs the networks once over all clips with the recommended settings. Then fits the weights of
``classifier_specs.EvidenceWeights`` on all videos but one and applies them to that one, for each video in turn: every
confidence in the tables comes from weights that never saw its video, but for those of the weights in use. The last
weights are fitted on all videos. Every video of a group counts by the square root of its number of clips, people whose
action is known count as much as all others together, and bystanders as much as people without a label. Of those, the
table also has the share of those who do something, and of those who walk past a fixed camera.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.labels import CLIPS_DIR
from benchmarks.true_actions import CLIPS, bystanders
from recognizer.analysis.file import analyze
from recognizer.classifier_specs import SPECS, EvidenceWeights
from recognizer.networks.cache import ModelCache
from recognizer.networks.classifiers.clip_input import clip_pictures
from recognizer.networks.classifiers.evidence import Support, confidence, support, weighed
from recognizer.networks.classifiers.naming import TOP_LABELS
from recognizer.networks.classifiers.network import NetworkClassifier
from recognizer.settings import CLASSIFIER_NAMES, RECOMMENDED_MIN_CONFIDENCE, UNKNOWN_ACTION, Settings, recommended
from recognizer.timeline.model import Timeline, frame_rate_hz
from recognizer.timeline.smoothing import votes
from recognizer.types import Clip, Prediction
from recognizer.video import open_video

KNOWN, UNKNOWN, BYSTANDER = "known", "without a label", "bystander"
GROUP_WEIGHTS = {KNOWN: 0.5, UNKNOWN: 0.25, BYSTANDER: 0.25}

FORMS = {
    "score and motion": ("own_score", "stands_out"),
    "odds and motion": ("own_odds", "stands_out"),
    "score alone": ("own_score",),
    "odds alone": ("own_odds",),
    "motion alone": ("stands_out",),
}
"""The first is for a network that was measured, the second for the others; the rest shows what each part is worth."""

WALKS = ("opencv_vtest.avi", "intel_one-by-one-person-detection.mp4")
"""Fixed cameras that people walk past: most of the time of people without a label."""

MUST_STAY = ("mmaction2_demo.mp4", "decord_flipping_a_pancake.mkv", "tv_basketball.mp4", "mmaction2_structuralize.mp4")
"""Two arm wrestlers, of whom one covers the other; a cook; players who grow small: the rule should not act there."""


@dataclass(frozen=True, eq=False)
class Window:
    """What one network said about one clip.

    Attributes:
        probabilities: float64 (number of labels,), at the classifier's temperature.
        label: index of the best label.
        evidence: what supports it.
    """

    probabilities: NDArray[np.float64]
    label: int
    evidence: Support


@dataclass(frozen=True, eq=False)
class Video:
    """One analyzed video: its timeline, and the window of each of its predictions, in the same order."""

    timeline: Timeline
    windows: list[Window]


@dataclass(frozen=True, eq=False)
class Sample:
    """One window with the truth: the video, the group of the person, whether the label is right."""

    video: str
    group: str
    is_right: bool
    evidence: Support


class _Recorder:
    """Classifies like the network it holds, and keeps what both views said."""

    def __init__(self, network: NetworkClassifier, temperature: float) -> None:
        self.name, self.labels = network.name, network.labels
        self.windows: dict[int, Window] = {}
        self._network, self._temperature = network, temperature
        self._kept: list[Prediction] = []

    def warm_up(self, samples: int) -> None:
        self._network.warm_up(samples)

    def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
        return [self._one(clip) for clip in clips]

    def _one(self, clip: Clip) -> Prediction:
        assert clip.surroundings_rgb is not None
        length = self._network.spec.frames_fed(len(clip.rgb))
        pictures = clip_pictures([clip.rgb], length), clip_pictures([clip.surroundings_rgb], length).flip(3)
        views = [self._network.logits(one)[0].double().cpu().numpy() for one in pictures]
        scores = torch.from_numpy(views[0] + views[1]) / 2
        probabilities = torch.softmax(scores / self._temperature, 0).numpy()
        label = int(probabilities.argmax())
        top = _top(probabilities, self.labels)
        made = Prediction(clip.person_id, clip.start_s, clip.end_s, top, self.name)
        self._kept.append(made)  # so that no other object gets the same id
        self.windows[id(top)] = Window(
            probabilities, label, support(clip, views, label, self._network.spec.recommended_span_s)
        )
        return made


def _top(probabilities: NDArray[np.float64], labels: Sequence[str]) -> tuple[tuple[str, float], ...]:
    best = np.argsort(-probabilities)[:TOP_LABELS]
    return tuple((labels[k], float(probabilities[k])) for k in best)


def run(classifier: str, clips: Path, keep: Path | None) -> tuple[dict[str, Video], tuple[str, ...]]:
    """Analyze every clip, or take what an earlier call kept; return the videos and the labels."""
    cache, videos = ModelCache(), {}
    labels: tuple[str, ...] = ()
    for file in CLIPS:
        kept = None if keep is None else keep / f"{file}.{classifier}.pickle"
        if kept is not None and kept.is_file():
            videos[file], labels = pickle.loads(kept.read_bytes())  # noqa: S301 - written by this program
            continue
        with open_video(clips / file) as reader:
            settings = recommended(Settings(video_classifier_model=classifier), frame_rate_hz(reader.info))
        models = cache.get(settings)
        assert isinstance(models.classifier, NetworkClassifier)
        recorder = _Recorder(models.classifier, SPECS[classifier].temperature or 1.0)
        labels = recorder.labels
        timeline = analyze(clips / file, settings, models=replace(models, classifier=recorder))
        videos[file] = Video(timeline, [recorder.windows[id(one.top)] for one in timeline.predictions])
        if kept is not None:
            kept.write_bytes(pickle.dumps((videos[file], labels)))
    return videos, labels


def groups_of(file: str, timeline: Timeline) -> dict[int, tuple[str, tuple[str, ...]]]:
    """Return the group and the right labels of everybody who counts, by ``person_id``."""
    found = {i: (KNOWN if right else UNKNOWN, right) for i, right in CLIPS[file](timeline).items()}
    return found | dict.fromkeys(bystanders(file, timeline), (BYSTANDER, ()))


def samples_of(videos: Mapping[str, Video], labels: Sequence[str]) -> list[Sample]:
    """Return every window of somebody who counts."""
    samples = []
    for file, video in videos.items():
        groups = groups_of(file, video.timeline)
        for prediction, window in zip(video.timeline.predictions, video.windows, strict=True):
            if prediction.person_id in groups:
                group, right = groups[prediction.person_id]
                samples.append(Sample(file, group, labels[window.label] in right, window.evidence))
    return samples


def fit(samples: Sequence[Sample], form: Sequence[str]) -> EvidenceWeights:
    """Fit the weights of some kinds of evidence to samples."""
    from sklearn.linear_model import LogisticRegression

    evidence = np.array([[getattr(one.evidence, name) for name in form] for one in samples])
    # scores are about ten times as large as the rest; the penalty should not depend on the unit
    scale = evidence.std(axis=0)
    model = LogisticRegression(max_iter=1000).fit(
        evidence / scale, [one.is_right for one in samples], sample_weight=_sample_weights(samples)
    )
    coefficients = dict(zip(form, (model.coef_[0] / scale).tolist(), strict=True))
    nothing = dict.fromkeys(Support._fields, 0.0)
    return EvidenceWeights(constant=float(model.intercept_[0]), **nothing | coefficients)


def _sample_weights(samples: Sequence[Sample]) -> NDArray[np.float64]:
    count: dict[tuple[str, str], int] = defaultdict(int)
    for one in samples:
        count[one.video, one.group] += 1
    weights = np.array([count[one.video, one.group] ** -0.5 for one in samples])
    of_group = np.array([one.group for one in samples])
    for group, share in GROUP_WEIGHTS.items():
        weights[of_group == group] *= share * len(samples) / max(weights[of_group == group].sum(), 1e-9)
    return weights


def rated(video: Video, sure: Callable[[Support], float] | None, labels: Sequence[str]) -> Timeline:
    """Return a video's timeline with these confidences; None leaves the network's own at its temperature."""
    predictions = []
    for prediction, window in zip(video.timeline.predictions, video.windows, strict=True):
        top = _top(window.probabilities, labels)
        own = tuple(probability for _, probability in top)
        if sure is not None:
            shown = weighed(own, sure(window.evidence))
            top = tuple((label, probability) for (label, _), probability in zip(top, shown, strict=True))
        predictions.append(replace(prediction, top=top, network_probabilities=own))
    return replace(video.timeline, predictions=tuple(predictions))


@dataclass(frozen=True)
class Moment:
    """A stretch of a person's time with one label, without a threshold."""

    video: str
    person_id: int
    group: str
    seconds: float
    confidence: float
    is_right: bool


def moments_of(timelines: Mapping[str, Timeline]) -> list[Moment]:
    """Return everybody's time in steps of the vote."""
    moments = []
    for file, timeline in timelines.items():
        for person_id, (group, right) in groups_of(file, timeline).items():
            own = sorted((p for p in timeline.predictions if p.person_id == person_id), key=lambda p: p.start_s)
            for stretch in votes(own, timeline.settings.smoothing_s):
                steps_s = np.diff(stretch.edges_s).tolist()
                for step_s, best, sure in zip(steps_s, stretch.best, stretch.probability.tolist(), strict=True):
                    is_right = stretch.labels[best] in right
                    moments.append(Moment(file, person_id, group, step_s, sure, is_right))
    return moments


def _named(timelines: Mapping[str, Timeline], files: Collection[str]) -> dict[str, tuple[float, float, float]]:
    """Return the seconds of each group in these videos, those that are named, and those that are named rightly."""
    sums = {group: [0.0, 0.0, 0.0] for group in GROUP_WEIGHTS}
    for file in files:
        timeline = timelines[file]
        groups = groups_of(file, timeline)
        for segment in timeline.segments(RECOMMENDED_MIN_CONFIDENCE):
            if segment.person_id in groups:
                group, right = groups[segment.person_id]
                sums[group][0] += segment.duration_s
                sums[group][1] += segment.duration_s * (segment.action != UNKNOWN_ACTION)
                sums[group][2] += segment.duration_s * (segment.action in right)
    return {group: (a, b, c) for group, (a, b, c) in sums.items()}


def _row(name: str, timelines: Mapping[str, Timeline]) -> str:
    named = _named(timelines, timelines)
    walking = _named(timelines, [file for file in timelines if file in WALKS])
    acting = _named(timelines, [file for file in timelines if file not in WALKS])
    sure = [one for one in moments_of(timelines) if one.confidence >= 0.7]
    sure_s = sum(one.seconds for one in sure)
    right_s = sum(one.seconds for one in sure if one.is_right)
    known_s, known_named_s, known_right_s = named[KNOWN]
    others = named[UNKNOWN], acting[UNKNOWN], walking[UNKNOWN], named[BYSTANDER]
    shares = "".join(f"{named_s / max(all_s, 1e-9):>11.0%}" for all_s, named_s, _ in others)
    return (
        f"{name:<34} {known_named_s / known_s:>6.0%} {known_right_s / max(known_named_s, 1e-9):>12.0%} "
        f"{shares} {right_s / max(sure_s, 1e-9):>8.0%} of {sure_s:>4.0f} s"
    )


def reliability(moments: Sequence[Moment]) -> list[tuple[float, float, float, int, int]]:
    """Return (mean confidence, share right, seconds, people, videos) in ten bins of confidence."""
    bins = []
    for low in np.arange(10) / 10:
        inside = [one for one in moments if low <= min(one.confidence, 0.999) < low + 0.1]
        seconds = sum(one.seconds for one in inside)
        if seconds:
            mean = sum(one.seconds * one.confidence for one in inside) / seconds
            right = sum(one.seconds for one in inside if one.is_right) / seconds
            people = {(one.video, one.person_id) for one in inside}
            bins.append((mean, right, seconds, len(people), len({one.video for one in inside})))
    return bins


def draw(before: Sequence[Moment], after: Sequence[Moment], path: Path) -> None:
    """Draw the reliability diagram, with the number of people behind each point."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 5))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="as sure as right")
    kinds = ((before, "probability, at a temperature", "#d55e00"), (after, "evidence, cross-validated", "#0072b2"))
    for moments, name, colour in kinds:
        bins = reliability(moments)
        axes.scatter([b[0] for b in bins], [b[1] for b in bins], color=colour, alpha=0.7, label=name)
        for mean, right, _, people, _ in bins:
            axes.annotate(str(people), (mean, right), (4, 4), textcoords="offset points", fontsize=7, color=colour)
    axes.set(xlabel="confidence", ylabel="share of the time that is right", xlim=(0, 1), ylim=(0, 1.05))
    axes.set_title("with the number of people behind each point", fontsize="small")
    axes.legend(loc="upper left", fontsize="small")
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, default=CLIPS_DIR)
    parser.add_argument("--classifier", choices=CLASSIFIER_NAMES, default="i3d")
    parser.add_argument("--keep", type=Path, help="folder for what the networks said, to fit again without them")
    parser.add_argument("--diagram", type=Path, help="file for the reliability diagram")
    arguments = parser.parse_args()
    if not arguments.clips.is_dir():
        sys.exit(f"the clips are not in '{arguments.clips}'; give their folder with --clips.")
    videos, labels = run(arguments.classifier, arguments.clips, arguments.keep)
    samples = samples_of(videos, labels)
    known = [one for one in samples if one.group == KNOWN]
    print(f"{len(videos)} videos, {len(samples)} clips of people who count; best label right in "
          f"{sum(one.is_right for one in known) / len(known):.0%} of {len(known)} with a known action\n")  # fmt: skip
    print(f"{'':<34} {'named':>6} {'right of it':>12}"
          f"{'no label':>11}{'they act':>11}{'they walk':>11}{'bystanders':>11} {'right at 0.7':>18}")  # fmt: skip
    before = {file: rated(video, None, labels) for file, video in videos.items()}
    print(_row("network's own, at its temperature", before))
    held_out: dict[str, dict[str, Timeline]] = {}
    for name, form in FORMS.items():
        held_out[name] = {}
        for file, video in videos.items():
            weights = fit([one for one in samples if one.video != file], form)
            held_out[name][file] = rated(video, _by(weights), labels)
        print(_row(f"{name}, held out", held_out[name]), flush=True)
    in_use = {file: rated(video, _by(SPECS[arguments.classifier].evidence), labels) for file, video in videos.items()}
    print(_row("the weights in use, not held out", in_use))
    for name in list(FORMS)[:2]:
        weights = fit(samples, FORMS[name])
        print(f"\n{name}, fitted on all: {weights}")
    best = held_out[next(iter(FORMS))]
    print("\nconfidence, share of the time that is right, seconds, people, videos; held out:")
    for row in reliability(moments_of(best)):
        print("  {:.2f}  {:.0%}  {:.0f} s  {}  {}".format(*row))
    print("\nnamed rightly, before and after:")
    for file in MUST_STAY:
        shares = [_named(of, [file])[KNOWN] for of in (before, best)]
        print(f"  {file:<34} {shares[0][2] / shares[0][0]:.0%}  {shares[1][2] / shares[1][0]:.0%}")
    print("\nby video: seconds, named, right; before | after:")
    for file in videos:
        one, other = _named(before, [file]), _named(best, [file])
        for group in (group for group in GROUP_WEIGHTS if one[group][0]):
            seconds = (*one[group], *other[group][1:])
            print("  {:<34} {:<16} {:>5.1f}  {:>5.1f} {:>5.1f}  | {:>5.1f} {:>5.1f}".format(file[:34], group, *seconds))
    if arguments.diagram:
        draw(moments_of(before), moments_of(best), arguments.diagram)


def _by(weights: EvidenceWeights) -> Callable[[Support], float]:
    return lambda evidence: confidence(evidence, weights)


if __name__ == "__main__":
    main()
