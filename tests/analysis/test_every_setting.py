"""Every combination of the documented arguments runs for every classifier.

Running ten whole networks on thousands of clips would take hours, so the claim is proved in two halves that meet at the
network's input tensor:

1. ``test_every_combination_gives_the_network_a_tensor_it_takes`` runs a stream with the real ``NetworkClassifier`` of
   each classifier, over the whole ranges of the arguments, and checks the tensor that reaches the network.
2. ``test_the_network_takes_every_length_that_can_reach_it`` builds each real network and gives it each of those shapes,
   on PyTorch's ``meta`` device, which checks shapes without computing. ``test_meta_refuses_what_the_cpu_refuses`` shows
   that these are the same checks.

``test_classifiers.py`` compares the computed values with torchvision.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from recognizer.analysis.stream import Recognizer
from recognizer.classifier_specs import SPECS, ClassifierSpec
from recognizer.errors import RecognizerError
from recognizer.networks.backends.autotune import TunedNetwork
from recognizer.networks.backends.choice_store import Choice
from recognizer.networks.backends.pytorch import PyTorchRunner
from recognizer.networks.backends.ways import REFERENCE
from recognizer.networks.classifiers.architecture import build
from recognizer.networks.classifiers.clip_input import Normalise
from recognizer.networks.classifiers.network import NetworkClassifier
from recognizer.networks.classifiers.repeated_frames import fold_repeated_frames
from recognizer.networks.loading import Models
from recognizer.settings import CLASSIFIER_NAMES, DETECTOR_NAMES, RANGES, Settings
from recognizer.timeline.model import Timeline
from recognizer.types import Frame
from tests.support.fakes import always, numbered_picture, person, scripted_models, video_info

CLASSES = 7
RATE_HZ = 30.0
ALL_SAMPLES = range(int(RANGES["num_video_sequence_samples"].low), int(RANGES["num_video_sequence_samples"].high) + 1)


class Probe(nn.Module):
    """Replaces a network: records the shapes of its inputs and returns arbitrary scores."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[tuple[torch.Size, torch.dtype, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, T, S, S) to (B, CLASSES)."""
        self.inputs.append((x.shape, x.dtype, bool(torch.isfinite(x).all())))
        return x.mean(dim=(1, 2, 3, 4))[:, None] * torch.linspace(-1, 1, CLASSES)


def classifier(spec: ClassifierSpec, module: nn.Module) -> NetworkClassifier:
    return NetworkClassifier(spec, module, tuple(f"label {k}" for k in range(CLASSES)), "cpu")


def probed(spec: ClassifierSpec, probe: Probe) -> NetworkClassifier:
    """Return the classifier with the probe in place of its network."""
    runner = PyTorchRunner(nn.Sequential(Normalise(spec), probe), 5, torch.device("cpu"), REFERENCE)
    labels = tuple(f"label {k}" for k in range(CLASSES))
    return NetworkClassifier(spec, probe, labels, "cpu", tuned=TunedNetwork(runner, None, Choice(REFERENCE)))


def legal_shapes(name: str) -> set[tuple[int, ...]]:
    """Return the shapes, without the batch, that ``test_the_network_takes_every_length_that_can_reach_it`` tries."""
    spec = SPECS[name]
    lengths = {spec.frames_fed(samples) for samples in ALL_SAMPLES}
    return {(3, length, spec.crop_size_px, spec.crop_size_px) for length in lengths}


@cache
def on_meta(name: str) -> nn.Module:
    with torch.device("meta"):
        return build(SPECS[name], CLASSES).eval()


@cache
def as_it_runs_on_meta(name: str) -> nn.Module:
    with torch.device("meta"):
        network = fold_repeated_frames(build(SPECS[name], CLASSES).eval(), SPECS[name])
    for part in network.modules():
        part.forward = once_per_shape(part.forward)
    return network


def once_per_shape(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``forward`` that runs once for each layout of its input: on ``meta``, nothing else matters. After the
    layers that halve the time, clips of many lengths have the same layout."""
    known: dict[Hashable, Any] = {}

    def remembered(x: Tensor, *others: Hashable) -> Any:
        layout = x.shape, x.stride(), others
        if layout not in known:
            known[layout] = forward(x, *others)
        return known[layout]

    return remembered


@cache
def on_cpu(name: str) -> nn.Module:
    """Build the network with uninitialized weights: for shapes only."""
    with torch.device("meta"):
        module = build(SPECS[name], CLASSES)
    return module.to_empty(device="cpu").eval()


def run(models: Models, chosen: Settings, stays: tuple[int, ...]) -> Timeline:
    """Run people who stay for these numbers of samples, each in their own place, entering one sample apart."""
    boxes = [(4.0 + 30 * k, 6.0, 14.0 + 34 * k, 44.0 + k) for k in range(len(stays))]

    def script(number: int) -> list[object]:
        return [person(box) for k, (box, stay) in enumerate(zip(boxes, stays, strict=True)) if k <= number < k + stay]

    models = Models(scripted_models(script).detector, models.classifier)  # type: ignore[arg-type]
    recognizer = Recognizer(models, chosen, video_info(int(RATE_HZ)))
    for sample in range(max(stays) + len(stays)):
        # frames between two samples only advance the clock
        for frame in range(sample * chosen.skip_frame, (sample + 1) * chosen.skip_frame):
            recognizer.step(Frame(frame, frame / RATE_HZ, numbered_picture(sample)))
    return recognizer.finish()


@pytest.mark.real
@pytest.mark.parametrize("name", CLASSIFIER_NAMES)
@given(
    model=st.sampled_from(DETECTOR_NAMES),
    margin=st.integers(*map(int, RANGES["crop_margin_percentage"])),
    samples=st.integers(*map(int, RANGES["num_video_sequence_samples"])),
    skip=st.integers(*map(int, RANGES["skip_frame"])),
    overlap=st.floats(*RANGES["overlap"]),
    stays=st.sampled_from(["just a clip", "a little more", "half a clip more", "two clips", "two people"]),
)
@example("yolo26n.pt", 10, 8, 2, 0.25, "two people").via("the documented defaults")
@example("yolo26x.pt", 100, 64, 30, 0.9, "a little more").via("every upper end")
@example("yolo26n.pt", 0, 1, 1, 0.0, "two people").via("every lower end")
@example("yolo26n.pt", 10, 13, 2, 0.25, "just a clip").via("under what S3D and MViT take")
@settings(max_examples=6, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_every_combination_gives_the_network_a_tensor_it_takes(
    name: str, model: str, margin: int, samples: int, skip: int, overlap: float, stays: str
) -> None:
    chosen = Settings(
        model=model,
        video_classifier_model=name,
        crop_margin_percentage=margin,
        num_video_sequence_samples=samples,
        skip_frame=skip,
        overlap=overlap,
    )
    probe = Probe()
    lengths = {
        "just a clip": (samples,),
        "a little more": (samples + 1,),
        "half a clip more": (samples + -(-chosen.new_samples_per_clip // 2),),
        "two clips": (samples + chosen.new_samples_per_clip,),
        "two people": (samples, samples + 1),
    }[stays]
    timeline = run(Models(scripted_models(always()).detector, probed(SPECS[name], probe)), chosen, lengths)

    assert probe.inputs, "a person who stays for a clip gets a label"
    for shape, dtype, is_finite in probe.inputs:
        assert tuple(shape[1:]) in legal_shapes(name)
        assert dtype == torch.float32
        assert is_finite
    assert len(timeline.people) == len(lengths)
    for track, stay in zip(timeline.people, lengths, strict=True):
        mine = [p for p in timeline.predictions if p.person_id == track.person_id]
        # a person who enters later is confirmed by a second detection
        seen = len(track.time_s)
        assert seen == stay - (track.person_id > 1)
        full, rest = divmod(seen - samples, chosen.new_samples_per_clip)
        assert len(mine) == 1 + full + (rest > chosen.new_samples_per_clip / 4)
        assert all(len(p.top) == 5 and p.classifier == name for p in mine)
        # the labels cover the whole stay
        assert min(p.start_s for p in mine) == track.presence[0][0]
        assert max(p.end_s for p in mine) == pytest.approx(track.presence[-1][1])


@pytest.mark.real
@pytest.mark.parametrize("name", CLASSIFIER_NAMES)
def test_the_network_takes_every_length_that_can_reach_it(name: str) -> None:
    with torch.no_grad():
        for shape in sorted(legal_shapes(name)):
            assert as_it_runs_on_meta(name)(torch.empty(2, *shape, device="meta")).shape == (2, CLASSES), shape


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "length"), [("s3d", 8), ("s3d", 12), ("mvit_v1_b", 8), ("mvit_v2_s", 14), ("mvit_v2_s", 17)]
)
def test_meta_refuses_what_the_cpu_refuses(name: str, length: int) -> None:
    """Eight samples for ``s3d`` without resampling are the published solution's default, and crash it."""
    clip = torch.zeros(1, 3, length, SPECS[name].crop_size_px, SPECS[name].crop_size_px)
    with torch.no_grad(), pytest.raises(RuntimeError):
        on_cpu(name)(clip)
    with torch.no_grad(), pytest.raises(RuntimeError):
        on_meta(name)(clip.to("meta"))
    assert length not in {SPECS[name].length.network_length(samples) for samples in ALL_SAMPLES}


@pytest.mark.real
@pytest.mark.parametrize("name", ["s3d", "r3d_18"])
def test_the_documented_defaults_run_through_the_whole_network(name: str) -> None:
    """With seeded random weights, from picture to label: one network takes whole crops, one takes half the size."""
    torch.manual_seed(0)
    network = classifier(SPECS[name], build(SPECS[name], CLASSES))
    chosen = Settings(video_classifier_model=name)
    timeline = run(Models(scripted_models(always()).detector, network), chosen, (8,))
    (prediction,) = timeline.predictions
    assert len(prediction.top) == 5
    probabilities = [p for _, p in prediction.top]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < sum(probabilities) <= 1
    assert np.isfinite(probabilities).all()


@pytest.mark.parametrize("field", ["crop_margin_percentage", "num_video_sequence_samples", "skip_frame"])
def test_one_step_outside_a_range_raises_a_sentence_at_once(field: str) -> None:
    for value in (int(RANGES[field].low) - 1, int(RANGES[field].high) + 1):
        with pytest.raises(RecognizerError, match=field):
            Settings(**{field: value})  # type: ignore[arg-type]
