"""The real I3D, and a real fine-tuned checkpoint, on real clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from recognizer.analysis.file import analyze
from recognizer.networks.backends import int8, openvino
from recognizer.networks.backends.autotune import relative_difference
from recognizer.networks.backends.choice_store import Choice, ChoiceStore, Measured
from recognizer.networks.backends.openvino import Compiled, ConvertedNetworks, OpenVinoRunner
from recognizer.networks.backends.ways import Way
from recognizer.networks.classifiers.checkpoint import read_tensors
from recognizer.networks.classifiers.clip_input import clip_pictures
from recognizer.networks.classifiers.i3d import state_dict_from_arrays
from recognizer.networks.classifiers.network import (
    NetworkClassifier,
    _from_bytes,
    _published_weights,
    load_classifier,
)
from recognizer.networks.loading import Models, calibrated, load_clip_classifier, load_detector, network_path
from recognizer.settings import Settings, recommended
from recognizer.types import CROP_SIZE_PX, Classifier, Clip, Prediction
from recognizer.weights import convert_once, load_numpy_pickle, resolve, verified_sha256
from tests.support.checkpoints import fight_checkpoint
from tests.support.fakes import ScriptedClassifier
from tests.support.ffmpeg import ffmpeg

pytestmark = pytest.mark.real

NOT_IN_THE_TABLE = (
    "stgcn_ta_chi.mp4",
    "tv_v_SoccerJuggling_g24_c01.avi",
    "mmaction2_demo.mp4",
    "c12_two_signers_ccby.mp4",
)

LONG = 38
"""Samples of a recommended clip, at 15 a second."""

COMPARED = 50
"""Number of real clips to compare with float32. If nine in ten had the same label, two or more would differ in 29 of 30
runs; docs/performance.md has the share over more clips."""


def centre_clip(path: Path, samples: int, every: int) -> Clip:
    """Return the first samples of a video: every n-th frame, its middle square at the network's size."""
    pictures: list[np.ndarray] = []
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % every == 0:
                rgb = frame.to_ndarray(format="rgb24")
                side = min(rgb.shape[:2])
                top, left = (rgb.shape[0] - side) // 2, (rgb.shape[1] - side) // 2
                square = rgb[top : top + side, left : left + side]
                pictures.append(cv2.resize(square, (CROP_SIZE_PX, CROP_SIZE_PX), interpolation=cv2.INTER_AREA))
            if len(pictures) == samples:
                break
    assert len(pictures) == samples
    return Clip(person_id=1, start_s=0.0, end_s=samples * every / 30, rgb=np.stack(pictures))


@pytest.fixture(scope="module")
def i3d() -> NetworkClassifier:
    published = resolve("i3d")
    path = convert_once(published, lambda source: state_dict_from_arrays(load_numpy_pickle(source)), "i3d-test")
    return load_classifier("i3d", weights_path=path, device="cpu")


@pytest.fixture(scope="module")
def exact() -> Classifier:
    """I3D in float32 as it takes half of PyTorch's time; ``test_what_is_chosen_here…`` compares the two."""
    backend = "pytorch" if openvino.problem() else "openvino"
    return load_clip_classifier(Settings(video_classifier_model="i3d", precision="float32", backend=backend))[0]


@pytest.fixture(scope="module")
def exactly(exact: Classifier, clips_dir: Path) -> Callable[[str, int], Prediction]:
    """Return what I3D says in float32 of the first samples of a video."""

    @cache
    def said(file: str, samples: int) -> Prediction:
        (prediction,) = exact.classify([centre_clip(clips_dir / file, samples, every=2)])
        return prediction

    return said


@pytest.mark.parametrize(
    ("file", "samples", "label"),
    [
        ("stgcn_ta_chi.mp4", 64, "tai chi"),  # the first seconds hardly show more than a man who stands there
        ("tv_R6llTwEh07w.mp4", LONG, "using segway"),
        ("mmaction2_demo.mp4", LONG, "arm wrestling"),
        ("tv_v_SoccerJuggling_g24_c01.avi", LONG, "juggling soccer ball"),
    ],
)
def test_i3d_is_sure_of_what_the_clip_shows(
    exactly: Callable[[str, int], Prediction], file: str, samples: int, label: str
) -> None:
    best, probability = exactly(file, samples).top[0]
    assert best == label
    assert probability > 0.9


def test_scores_follow_from_the_kept_features(i3d: NetworkClassifier, clips_dir: Path) -> None:
    """Each feature is off by half a step at most, so a score by no more than half a step times its weights."""
    # more than 16 samples: their scores are a mean over time
    clip = centre_clip(clips_dir / "stgcn_ta_chi.mp4", samples=24, every=2)
    (prediction,) = i3d.classify([replace(clip, surroundings_rgb=clip.rgb)])
    features = prediction.features
    assert features is not None
    assert features.codes.shape == (2, 1024)
    tensors = read_tensors(network_path("i3d", resolve("i3d")))
    weight, bias = tensors["logits.conv3d.weight"].flatten(1).numpy(), tensors["logits.conv3d.bias"].numpy()
    scores = features.values() @ weight.T + bias
    pictures = clip_pictures([clip.rgb], i3d.spec.frames_fed(24))
    of_network = np.concatenate([i3d.logits(pictures).numpy(), i3d.logits(pictures.flip(3)).numpy()])
    bound = features.step[:, None] / 2 * np.abs(weight).sum(axis=1) + 1e-4
    assert (np.abs(scores - of_network) <= bound).all()
    # the errors of 1024 features mostly cancel each other: 0.032 at most, 0.4 % of the spread (root mean squares)
    assert np.abs(scores - of_network).max() < 0.1
    assert relative_difference(of_network, scores) < 0.01, "bfloat16 alone makes 0.02"
    mean = scores.mean(axis=0)
    best = np.argsort(-mean)[:5]
    assert [i3d.labels[k] for k in best] == [label for label, _ in prediction.top]
    probabilities = np.exp(mean[best] - mean.max()) / np.exp(mean - mean.max()).sum()
    assert probabilities == pytest.approx([p for _, p in prediction.top], abs=0.005)


def test_i3d_names_a_clip_of_eight_samples(i3d: NetworkClassifier, clips_dir: Path) -> None:
    (prediction,) = i3d.classify([centre_clip(clips_dir / "stgcn_ta_chi.mp4", samples=8, every=2)])
    assert prediction.top[0][0] == "tai chi"


def test_int8_names_long_clips_as_float32_does(
    clips_dir: Path, exactly: Callable[[str, int], Prediction], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is fastest here. The videos are not among those whose ranges the table holds."""
    settings = recommended(Settings(video_classifier_model="i3d"))
    assert settings.num_video_sequence_samples == LONG
    measured = (Measured("openvino-int8", 1.0, 0.05), Measured("openvino-float32", 2.0, 0.0))
    monkeypatch.setattr(ChoiceStore, "find", lambda *_: Choice.fastest(measured))
    monkeypatch.setattr(int8, "has_int8", lambda: True)
    loaded, provenance = load_clip_classifier(settings)
    assert isinstance(loaded, NetworkClassifier)
    assert calibrated(loaded, provenance, settings)[1]["classifier_backend"] == "openvino-int8"
    documented = replace(settings, num_video_sequence_samples=8)
    assert calibrated(loaded, provenance, documented)[1]["classifier_backend"] == "openvino-float32"
    clips = [centre_clip(clips_dir / file, samples=LONG, every=2) for file in NOT_IN_THE_TABLE]
    ours, theirs = loaded.classify(clips), [exactly(file, LONG) for file in NOT_IN_THE_TABLE]
    assert [one.top[0][0] for one in ours] == [one.top[0][0] for one in theirs]
    probabilities = [one.top[0][1] for one in theirs]
    assert [one.top[0][1] for one in ours] == pytest.approx(probabilities, abs=0.1)
    assert [one.top[0][1] for one in ours] != probabilities, "not float32 itself"
    monkeypatch.setattr("recognizer.networks.classifiers.naming.CLOSE_CALL", 0.0)
    (asked_again,) = loaded.classify(clips[:1])
    assert asked_again.top == theirs[0].top, "close calls are decided in float32"


@pytest.mark.skipif(openvino.problem() is not None, reason=f"OpenVINO: {openvino.problem()}")
def test_one_conversion_serves_every_length_to_the_bit(clips_dir: Path, tmp_path: Path) -> None:
    """In int8, for an odd length, which layers pad otherwise than the length that was traced."""
    loaded, _ = load_clip_classifier(Settings(video_classifier_model="i3d", precision="float32", backend="openvino"))
    assert isinstance(loaded, NetworkClassifier)
    assert isinstance(loaded.runner, OpenVinoRunner)
    pictures = clip_pictures([centre_clip(clips_dir / "stgcn_ta_chi.mp4", samples=33, every=2).rgb], 33)
    path = network_path("i3d", resolve("i3d"))
    module = _from_bytes(loaded.spec, _published_weights(loaded.spec, path)())
    own = ConvertedNetworks(tmp_path).network("own", lambda: (module, pictures))
    ranges = int8.find_ranges("i3d", verified_sha256(path), tmp_path)
    assert ranges is not None
    outputs = []
    for model in (loaded.runner.converted(pictures), own):
        changed = int8.rewritten(model, ranges)
        outputs.append(Compiled(changed.model, Way("openvino", "int8"))(changed.prepare(pictures.numpy())))
    np.testing.assert_array_equal(outputs[0], outputs[1])


def test_a_real_fine_tuned_checkpoint_tells_a_fight_from_none(clips_dir: Path, tmp_path: Path) -> None:
    checkpoint, labels = fight_checkpoint(tmp_path)
    classifier = load_classifier("mc3_18", checkpoint_path=checkpoint, labels_path=labels, device="cpu")
    assert classifier.name == "mc3_18:model_16_m3_0.8888"
    calm, struggle = classifier.classify(
        [centre_clip(clips_dir / file, samples=16, every=2) for file in ("stgcn_ta_chi.mp4", "mmaction2_demo.mp4")]
    )
    assert calm.top[0][0] == "noFight"
    assert calm.top[0][1] > 0.9
    assert struggle.top[0][0] == "fight"  # arm wrestling is the nearest to a fight that the clips have


def test_what_is_chosen_here_gives_the_labels_of_float32_on_real_people(
    exact: Classifier, clips_dir: Path, tmp_path: Path
) -> None:
    """However the network runs; of the clips of four seconds of each video."""
    kept: list[Clip] = []

    class Keeping(ScriptedClassifier):
        def classify(self, clips: Sequence[Clip]) -> list[Prediction]:
            kept.extend(clips)
            return super().classify(clips)

    settings = Settings(video_classifier_model="i3d")
    detector, _ = load_detector(settings)
    for name in (
        "mmaction2_demo.mp4",
        "c12_two_signers_ccby.mp4",
        "tv_basketball.mp4",
        "decord_flipping_a_pancake.mkv",
    ):
        ffmpeg("-i", clips_dir / name, "-t", "4", "-map", "0:v", "-c", "copy", name, folder=tmp_path)
        analyze(tmp_path / name, settings, models=Models(detector, Keeping()))
    assert len(kept) > COMPARED
    clips = [kept[k] for k in np.linspace(0, len(kept) - 1, COMPARED).astype(int)]  # of every person and moment
    chosen, _ = load_clip_classifier(settings)
    pytorch, _ = load_clip_classifier(replace(settings, precision="float32"))
    reference = exact.classify(clips)
    # PyTorch would take twice as long for all of them
    for one, other in zip(reference[::15], pytorch.classify(clips[::15]), strict=True):
        assert [label for label, _ in one.top] == [label for label, _ in other.top]
        assert [p for _, p in one.top] == pytest.approx([p for _, p in other.top], abs=1e-4)
    same = 0
    for ours, theirs in zip(chosen.classify(clips), reference, strict=True):
        same += ours.top[0][0] == theirs.top[0][0]
        by_label = dict(theirs.top)
        apart = [abs(probability - by_label[label]) for label, probability in ours.top if label in by_label]
        assert max(apart) < 0.08
    assert same >= len(clips) - 1
