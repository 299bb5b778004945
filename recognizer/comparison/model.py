"""A comparison of several classifiers over one video: their timelines, their cost, and why one could not run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import PureWindowsPath
from typing import Final

from recognizer.errors import SettingsError
from recognizer.settings import SETTING_SPECS, Settings, specs_by_scope
from recognizer.timeline.model import PersonTrack, Timeline
from recognizer.types import Segment

ENTRY_SETTINGS: Final = tuple(name for name, spec in SETTING_SPECS.items() if not spec.scope.decides_pass)
"""The settings that may differ between the entries of a comparison. The others decide who is found where and when, so
they are the same for all entries (docs/decisions/030-one-pass-for-a-comparison.md)."""

CANCELLED: Final = "it was cancelled before it finished; compare again to run it."


@dataclass(frozen=True)
class Cost:
    """The cost of classifying the clips of one video; other work may have run at the same time.

    Attributes:
        clips: number of classified clips.
        ms_per_clip: milliseconds in the classifier per clip; None without clips. The first call, which sets up
            the network, is left out if there are others.
        video_s: seconds of video that the clips come from.
        device: the device that the network ran on.
        backend: the library that ran it, and its number format; empty if unknown.
        parameters: number of learned values of the network.
        peak_memory_bytes: the most memory that the whole program used meanwhile.
        gpu_memory_bytes: the most GPU memory that its networks used; None without a CUDA GPU.
        top1_percent: published accuracy on Kinetics-400; None for a user's own checkpoint.
    """

    clips: int
    ms_per_clip: float | None
    video_s: float
    device: str
    backend: str
    parameters: int
    peak_memory_bytes: int
    gpu_memory_bytes: int | None
    top1_percent: float | None

    @property
    def clips_per_s(self) -> float | None:
        """Clips classified per second of work."""
        return 1000.0 / self.ms_per_clip if self.ms_per_clip else None

    @property
    def share_of_real_time(self) -> float | None:
        """Seconds of classification for one second of this video with its people; under 1 it keeps up."""
        return self.clips * self.ms_per_clip / 1000.0 / self.video_s if self.ms_per_clip and self.video_s else None


@dataclass(frozen=True, eq=False)
class Entry:
    """One classifier's row of a comparison.

    Attributes:
        name: distinguishes it from the other entries; see ``names_of``.
        settings: its settings.
        checkpoint_name: the user's name for the checkpoint file; None if the path has it, or there is no checkpoint.
        labels: the labels that it knows; empty if it could not run.
        timeline: the result; None if it could not run.
        cost: the cost of the result; None if it could not run or was not measured.
        problem: one sentence with the reason and the remedy; None if it ran.
    """

    name: str
    settings: Settings
    checkpoint_name: str | None = None
    labels: tuple[str, ...] = ()
    timeline: Timeline | None = None
    cost: Cost | None = None
    problem: str | None = None


@dataclass(frozen=True, eq=False)
class Comparison:
    """Entries in the order of the request; each has a timeline, or a problem, or has not run yet."""

    entries: tuple[Entry, ...]

    @property
    def finished(self) -> tuple[Entry, ...]:
        """The entries that ran."""
        return tuple(entry for entry in self.entries if entry.timeline is not None)

    @property
    def has_costs(self) -> bool:
        """Whether any cost was measured; it is not while a camera runs."""
        return any(entry.cost is not None for entry in self.entries)

    @property
    def people(self) -> tuple[PersonTrack, ...]:
        """All people found; the same for all entries, because they share one pass."""
        timeline = self.timeline
        return timeline.people if timeline is not None else ()

    @property
    def timeline(self) -> Timeline | None:
        """One of the timelines, for their common parts: the video, the people, the frames."""
        return next((entry.timeline for entry in self.entries if entry.timeline is not None), None)

    def lanes(self, min_confidence: float = 0.0, min_duration_s: float = 0.0) -> tuple[Lane, ...]:
        """Return a lane for each entry that ran, with the thresholds of ``Timeline.segments``."""
        return tuple(
            Lane(entry, entry.timeline, entry.timeline.segments(min_confidence, min_duration_s))
            for entry in self.entries
            if entry.timeline is not None
        )


@dataclass(frozen=True, eq=False)
class Lane:
    """The segments of one entry.

    Attributes:
        entry: the entry.
        timeline: its timeline, which is never None here.
        segments: the segments of that timeline, with the thresholds of the lane.
    """

    entry: Entry
    timeline: Timeline
    segments: tuple[Segment, ...]

    @property
    def name(self) -> str:
        """The entry's name."""
        return self.entry.name


def pairs(lanes: Sequence[Lane]) -> tuple[tuple[Lane, Lane], ...]:
    """Return every pair of lanes."""
    return tuple(combinations(lanes, 2))


def have_common_labels(one: Entry, other: Entry) -> bool:
    """Return whether two entries can agree at all: a checkpoint may have other labels."""
    return not set(one.labels).isdisjoint(other.labels)


def names_of(settings: Sequence[Settings], checkpoint_names: Sequence[str | None] = ()) -> tuple[str, ...]:
    """Return a short name for each entry: the network, and the settings that distinguish entries of one network.

    ``i3d``; ``mc3_18:fight`` for a checkpoint ``fight.pth``; ``i3d, 8 samples`` next to ``i3d, 32 samples``.

    Args:
        settings: the settings of each entry.
        checkpoint_names: the user's names for the checkpoints; None for each that the path contains.
    """
    checkpoints = checkpoint_names or [None] * len(settings)
    networks = [_network_name(one, checkpoint) for one, checkpoint in zip(settings, checkpoints, strict=True)]
    names = []
    for one, network in zip(settings, networks, strict=True):
        alike = [other for other, its in zip(settings, networks, strict=True) if its == network]
        parts = [network]
        for spec in specs_by_scope():
            if spec.differs and len({getattr(other, spec.name) for other in alike}) > 1:
                parts.append(spec.difference(getattr(one, spec.name)))
        names.append(", ".join(parts))
    # two checkpoints with the same file name in different folders
    taken = Counter(names)
    seen: Counter[str] = Counter()
    for k, name in enumerate(names):
        if taken[name] > 1:
            seen[name] += 1
            names[k] = f"{name} ({seen[name]})"
    return tuple(names)


def _network_name(settings: Settings, checkpoint_name: str | None = None) -> str:
    name = settings.video_classifier_model
    if settings.checkpoint_path is None:
        return name
    return f"{name}:{PureWindowsPath(checkpoint_name or settings.checkpoint_path).stem}"  # accepts both kinds of slash


def named(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries with the names that distinguish them."""
    names = names_of([entry.settings for entry in entries], [entry.checkpoint_name for entry in entries])
    return tuple(replace(entry, name=name) for entry, name in zip(entries, names, strict=True))


def check_comparable(settings: Sequence[Settings]) -> None:
    """Raise unless entries with these settings can be compared.

    Raises:
        SettingsError: an entry is listed twice, or the entries would not find the same people at the same times.
    """
    names = names_of(settings)
    for k, one in enumerate(settings):
        if one in settings[:k]:
            raise SettingsError(f"{_network_name(one)} is listed twice with the same settings; change or remove one.")
        for field, value in one.as_dict().items():
            common = getattr(settings[0], field)
            if field not in ENTRY_SETTINGS and value != common:
                raise SettingsError(
                    f"{field} is {value!r} for {names[k]} and {common!r} for {names[0]}; give all classifiers of a "
                    "comparison the same, so that they find the same people at the same times."
                )
