"""The classifiers: their specifications and inputs, and the same outputs as torchvision's own networks."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import get_model, get_model_weights

from recognizer.classifier_specs import GFLOPS_FRAMES, SPECS, ClassifierSpec, EvidenceWeights, LengthRule, spec_of
from recognizer.errors import SettingsError, WeightsError
from recognizer.networks.backends.runner import Runner
from recognizer.networks.classifiers.architecture import build
from recognizer.networks.classifiers.clip_input import Normalise, clip_pictures, sample_indices
from recognizer.networks.classifiers.i3d import InceptionI3d, MaxPoolSame, state_dict_from_arrays
from recognizer.networks.classifiers.kinetics400 import KINETICS400_LABELS
from recognizer.networks.classifiers.network import NetworkClassifier, load_classifier
from recognizer.networks.devices import resolve_device
from recognizer.settings import CLASSIFIER_NAMES, RANGES, Settings
from recognizer.types import CROP_SIZE_PX, Clip, ClipFeatures

pytestmark = pytest.mark.slow

TORCHVISION_NAMES = [name for name in SPECS if name != "i3d"]
SAMPLES = range(int(RANGES["num_video_sequence_samples"].low), int(RANGES["num_video_sequence_samples"].high) + 1)
CLASSES = 7
TOLERANCE = 1e-4


def network_input(clips_rgb: Sequence[NDArray[np.uint8]], spec: ClassifierSpec, length: int) -> Tensor:
    """Return what the network is fed for these clips, float32 (B, 3, T, S, S)."""
    normalised: Tensor = Normalise(spec)(clip_pictures(clips_rgb, length))
    return normalised


def random_clip(samples: int, person_id: int = 1, *, side: int = CROP_SIZE_PX, seed: int = 0) -> Clip:
    """Return smooth moving blobs, which resemble pictures; noise averages to the same grey everywhere."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (samples, 7, 7, 3), dtype=np.uint8)
    rgb = coarse.repeat(side // 7, axis=1).repeat(side // 7, axis=2)
    return Clip(person_id, start_s=0.0, end_s=samples / 15, rgb=np.ascontiguousarray(rgb))


def seeded(module: nn.Module, spec: ClassifierSpec) -> tuple[nn.Module, torch.Tensor]:
    """Random weights under which clips differ and scores lie as far apart as a trained network's; those of one clip.

    torchvision's own random weights let the signal fade to nothing on its way; two networks that say nothing agree.
    """
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, nn.Conv3d):
                fan_in = layer.weight[0].numel()
                layer.weight.mul_((2 / fan_in) ** 0.5 / layer.weight.std())
            if isinstance(layer, nn.BatchNorm3d):
                layer.get_buffer("running_mean").normal_(0.0, 0.1, generator=generator)
                layer.get_buffer("running_var").uniform_(0.7, 1.5, generator=generator)
                layer.bias.normal_(0.0, 0.1, generator=generator)
        module.eval()
        shortest = spec.length.network_length(1)
        head = module.get_submodule(spec.head)
        head.get_parameter("bias").zero_()
        scores = module(network_input([random_clip(1).rgb], spec, shortest).contiguous())
        scale = 3.0 / scores.std()
        head.get_parameter("weight").mul_(scale)
    return module, scores * scale


def assert_scores_follow(
    features: ClipFeatures | None, module: nn.Module, spec: ClassifierSpec, *scores: Tensor
) -> None:
    """Scores of each view, from its features and the network's last layer: what rounding can change, and no more.

    A feature is off by half a step at most, so a score by half a step times the sum of its weights' magnitudes.
    """
    assert features is not None
    head = getattr(module.get_submodule(spec.head), "_layer", module.get_submodule(spec.head))
    weight = head.get_parameter("weight").detach().flatten(1).numpy()
    bias = head.get_parameter("bias").detach().numpy()
    bound = features.step[:, None] / 2 * np.abs(weight).sum(axis=1) + TOLERANCE
    expected = np.stack([one.numpy() for one in scores])
    assert (np.abs(features.values() @ weight.T + bias - expected) <= bound).all()
    assert bound.max() < expected.std(), "a bound that anything meets would hide a wrong view"


@dataclass(frozen=True)
class Pair:
    """Return one of our classifiers, and torchvision's own network with the same weights."""

    classifier: NetworkClassifier
    reference: nn.Module
    scores_of_one_sample: torch.Tensor


@pytest.fixture(scope="module", params=TORCHVISION_NAMES)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Save a checkpoint with wrappers and prefixes, then load it, as with a person's own."""
    name = request.param
    torch.manual_seed(0)
    reference, scores = seeded(get_model(name, weights=None, num_classes=CLASSES), spec_of(name))
    folder = tmp_path_factory.mktemp(name)
    checkpoint, labels = folder / "mine.pth", folder / "labels.txt"
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in reference.state_dict().items()}}, checkpoint)
    labels.write_text("\n".join(f"class {k}" for k in range(CLASSES)), encoding="utf-8")
    classifier = load_classifier(name, checkpoint_path=checkpoint, labels_path=labels, device="cpu")
    checkpoint.unlink()  # up to 350 MB
    yield Pair(classifier, reference, scores)
    gc.collect()


class TestCatalogue:
    def test_it_holds_every_classifier_of_the_settings_in_their_order(self) -> None:
        assert tuple(SPECS) == CLASSIFIER_NAMES

    def test_it_can_be_read_without_loading_a_network_library(self) -> None:
        code = "import sys, recognizer.classifier_specs; print({'torch', 'numpy'} & set(sys.modules))"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == "set()"

    @pytest.mark.parametrize("name", TORCHVISION_NAMES)
    def test_published_numbers_are_torchvisions(self, name: str) -> None:
        spec = SPECS[name]
        published = [w for w in get_model_weights(name) if w.url.endswith("/" + spec.weights.name)]
        assert len(published) == 1
        meta, transforms = published[0].meta, published[0].transforms()
        accuracy = meta["_metrics"]["Kinetics-400"]
        assert (spec.top1_percent, spec.top5_percent) == (accuracy["acc@1"], accuracy["acc@5"])
        assert spec.parameters == meta["num_params"]
        assert spec.gflops == meta["_ops"]
        assert tuple(meta["categories"]) == KINETICS400_LABELS
        assert [spec.crop_size_px] * 2 == transforms.crop_size
        assert (list(spec.mean_rgb), list(spec.std_rgb)) == (transforms.mean, transforms.std)
        assert spec.length.minimum >= meta.get("min_temporal_size", 1)

    @pytest.mark.parametrize("name", list(SPECS))
    def test_network_has_the_stated_size_cost_and_head(self, name: str) -> None:
        spec = SPECS[name]
        with torch.device("meta"):
            module = build(spec, len(KINETICS400_LABELS)).eval()
            clip = torch.empty(1, 3, GFLOPS_FRAMES, spec.crop_size_px, spec.crop_size_px)
        learnt = sum(p.numel() for p in module.parameters())
        if isinstance(module, InceptionI3d):  # the published batch normalisation has no scale; here it is a fixed one
            learnt -= sum(p.numel() for key, p in module.named_parameters() if key.endswith("bn.weight"))
        assert learnt == spec.parameters
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(clip)
        assert counter.get_total_flops() / 2e9 == pytest.approx(spec.gflops, abs=6e-4)
        assert module.get_submodule(spec.head).get_parameter("weight").shape[0] == len(KINETICS400_LABELS)

    def test_an_unknown_name_is_answered_with_the_known_ones(self) -> None:
        with pytest.raises(SettingsError, match="'x3d'; choose one of s3d, r3d_18"):
            spec_of("x3d")


class TestLength:
    @pytest.mark.parametrize("name", list(SPECS))
    def test_every_number_of_samples_gives_a_length_within_the_rule(self, name: str) -> None:
        rule = SPECS[name].length
        lengths = [rule.network_length(n) for n in SAMPLES]
        assert lengths == sorted(lengths)
        for samples, length in zip(SAMPLES, lengths, strict=True):
            assert rule.minimum <= length <= rule.maximum
            assert length % rule.multiple_of == 0
            if rule.minimum <= samples <= rule.maximum:
                assert samples <= length < samples + rule.multiple_of

    @pytest.mark.parametrize("name", list(SPECS))
    def test_the_network_runs_on_the_lengths_that_its_rule_gives(self, name: str) -> None:
        """The shortest, the longest and two between; ``test_every_setting.py`` tries them all."""
        spec = SPECS[name]
        with torch.device("meta"):  # shapes are checked, nothing is computed
            module = build(spec, CLASSES).eval()
        lengths = {spec.length.network_length(n) for n in (1, 9, 17, 64)}
        for length in sorted(lengths):
            clip = torch.empty(1, 3, length, spec.crop_size_px, spec.crop_size_px, device="meta")
            with torch.no_grad():
                assert module(clip).shape == (1, CLASSES), length

    @pytest.mark.parametrize(
        ("name", "lengths"),
        [
            ("s3d", {1: 16, 8: 16, 14: 16, 16: 16, 17: 17, 64: 64}),
            ("r3d_18", {1: 8, 8: 8, 9: 9, 16: 16, 17: 16, 64: 16}),
            ("mvit_v2_s", {1: 16, 15: 16, 16: 16, 64: 16}),
            ("swin3d_b", {1: 2, 2: 2, 3: 4, 8: 8, 31: 32, 32: 32, 64: 32}),
            ("i3d", {1: 16, 8: 16, 32: 32, 64: 64}),
        ],
    )
    def test_length_follows_the_samples_within_what_the_network_takes(self, name: str, lengths: dict[int, int]) -> None:
        assert {n: SPECS[name].length.network_length(n) for n in lengths} == lengths

    def test_a_clip_that_is_stretched_to_twice_its_samples_is_fed_as_it_is(self) -> None:
        for name in ("s3d", "i3d"):
            assert [SPECS[name].frames_fed(n) for n in (4, 7, 8, 9, 16, 17)] == [16, 16, 8, 16, 16, 17]
        assert SPECS["mvit_v2_s"].frames_fed(8) == 16  # its layers look at both at once

    def test_impossible_rules_and_clips_are_refused(self) -> None:
        with pytest.raises(ValueError, match="no length fits"):
            LengthRule(minimum=3, maximum=16, multiple_of=2)
        with pytest.raises(ValueError, match="at least one sample"):
            SPECS["i3d"].length.network_length(0)


class TestResampling:
    @given(samples=st.integers(1, 200), length=st.integers(1, 200))
    def test_frames_stay_in_order_and_are_spread_evenly(self, samples: int, length: int) -> None:
        indices = sample_indices(samples, length)
        assert len(indices) == length
        assert (np.diff(indices) >= 0).all()
        steps = np.diff(indices)
        assert steps.size == 0 or steps.max() - steps.min() <= 1
        assert 0 <= indices[0] <= samples // (2 * length)
        assert indices[0] == samples - 1 - indices[-1] or samples % 2 == 0  # as far from the start as from the end
        if length >= samples:
            uses = np.bincount(indices, minlength=samples)
            assert uses.min() >= 1  # nothing that was seen is left out
            assert uses.max() - uses.min() <= 1

    @given(samples=st.integers(1, 200))
    def test_the_same_number_changes_nothing(self, samples: int) -> None:
        assert sample_indices(samples, samples).tolist() == list(range(samples))

    def test_known_cases(self) -> None:
        assert sample_indices(8, 16).tolist() == sorted([*range(8)] * 2)
        assert sample_indices(1, 4).tolist() == [0] * 4
        assert sample_indices(64, 16).tolist() == list(range(2, 64, 4))

    def test_no_samples_are_refused(self) -> None:
        with pytest.raises(ValueError, match="16 frames from 0 samples"):
            sample_indices(0, 16)


class TestInput:
    @pytest.mark.parametrize("name", TORCHVISION_NAMES)
    def test_pictures_become_what_torchvisions_own_transforms_make_of_them(self, name: str) -> None:
        spec = SPECS[name]
        side = spec.crop_size_px
        clip = random_clip(spec.length.minimum, side=side)
        transforms = get_model_weights(name).DEFAULT.transforms(resize_size=[side, side])
        expected = transforms(torch.from_numpy(clip.rgb).permute(0, 3, 1, 2))[None]
        torch.testing.assert_close(
            network_input([clip.rgb], spec, spec.length.minimum), expected, atol=2e-6, rtol=0, check_stride=False
        )

    def test_i3d_sees_colours_from_minus_one_to_one(self) -> None:
        rgb = np.zeros((16, 224, 224, 3), np.uint8)
        rgb[..., 1] = 255
        x = network_input([rgb], SPECS["i3d"], 16)
        assert x.shape == (1, 3, 16, 224, 224)
        assert x.dtype == torch.float32
        assert [sorted(set(x[0, c].flatten().tolist())) for c in range(3)] == [[-1.0], [1.0], [-1.0]]

    def test_small_networks_see_the_mean_of_four_pixels(self) -> None:
        spec = SPECS["mc3_18"]
        rgb = np.random.default_rng(0).integers(0, 256, (8, 224, 224, 3), dtype=np.uint8)
        means = rgb.reshape(8, 112, 2, 112, 2, 3).mean(axis=(2, 4)) / 255
        expected = ((means - spec.mean_rgb) / spec.std_rgb).transpose(3, 0, 1, 2)[None]
        np.testing.assert_allclose(network_input([rgb], spec, 8).numpy(), expected, atol=2e-6)

    def test_clips_of_different_lengths_share_a_batch(self) -> None:
        short, long = random_clip(3), random_clip(40, seed=1)
        x = network_input([short.rgb, long.rgb], SPECS["s3d"], 16)
        torch.testing.assert_close(x[1:], network_input([long.rgb], SPECS["s3d"], 16))
        assert torch.equal(x[0, :, 0], x[0, :, 4])  # sample 0 is shown by frames 0 to 4

    def test_crops_of_another_size_are_refused(self) -> None:
        with pytest.raises(ValueError, match="takes crops of 112 or 224 pixels, got 63"):
            network_input([random_clip(8, side=63).rgb], SPECS["r3d_18"], 8)


@pytest.mark.real
class TestNetworks:
    def test_it_says_what_torchvisions_own_network_says(self, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
        classifier = pair.classifier
        other = random_clip(5, person_id=2, seed=5)
        x = network_input([other.rgb], classifier.spec, classifier.spec.length.network_length(5))
        with torch.inference_mode():
            expected = pair.reference(x.contiguous())
        said: list[torch.Tensor] = []
        plain = classifier._scores_and_features

        def recorded(pictures: Tensor, runner: Runner) -> tuple[Tensor, Tensor]:
            scores, features = plain(pictures, runner)
            said.append(scores)
            return scores, features

        monkeypatch.setattr(classifier, "_scores_and_features", recorded)
        (prediction,) = classifier.classify([other])
        (scores,) = said
        assert (scores - expected).abs().max() < TOLERANCE
        # two networks that say the same of everything would pass the line above
        assert expected.std() > 0.5
        assert (expected - pair.scores_of_one_sample).abs().max() > 100 * TOLERANCE

        best = torch.softmax(expected[0], 0).topk(5)
        assert [label for label, _ in prediction.top] == [f"class {k}" for k in best.indices.tolist()]
        assert [p for _, p in prediction.top] == pytest.approx(best.values.tolist(), abs=TOLERANCE)
        assert (prediction.person_id, prediction.start_s, prediction.end_s) == (2, 0.0, 5 / 15)
        assert_scores_follow(prediction.features, pair.reference, classifier.spec, expected[0])

    def test_own_checkpoint_signs_with_network_and_file(self, pair: Pair) -> None:
        assert pair.classifier.name == f"{pair.classifier.spec.name}:mine"
        assert pair.classifier.labels == tuple(f"class {k}" for k in range(CLASSES))


class TwoLayers(nn.Module):
    """Stands for a network of torchvision where only what is around it is tested; tells left from right."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(3, 8, 7, stride=(2, 4, 4), padding=3)
        self.quarters = nn.AdaptiveAvgPool3d((1, 2, 2))
        self.fc = nn.Linear(32, labels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, T, S, S) to (B, labels)."""
        scores: Tensor = self.fc(self.quarters(self.convolution(x).relu()).flatten(1))
        return scores


def two_layers(name: str, labels: tuple[str, ...]) -> NetworkClassifier:
    torch.manual_seed(0)
    return NetworkClassifier(SPECS[name], seeded(TwoLayers(len(labels)), SPECS[name])[0], labels)


@pytest.fixture(scope="module")
def small() -> NetworkClassifier:
    """Return a classifier with random weights and 400 labels."""
    return two_layers("mc3_18", KINETICS400_LABELS)


@pytest.fixture(scope="module")
def four_labels() -> NetworkClassifier:
    """Return a classifier with so few labels that a prediction holds them all."""
    return two_layers("r3d_18", ("a", "b", "c", "d"))


def probabilities(classifier: NetworkClassifier, clip: Clip) -> NDArray[np.float64]:
    """Return the probabilities in the order of the labels."""
    (prediction,) = classifier.classify([clip])
    said = dict(prediction.top)
    return np.array([said[label] for label in classifier.labels])


class TestClassifier:
    def test_predictions_keep_the_five_best_labels_descending(self, small: NetworkClassifier) -> None:
        (prediction,) = small.classify([random_clip(8)])
        probabilities = [p for _, p in prediction.top]
        assert len(prediction.top) == 5
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(type(p) is float and 0 < p < 1 for p in probabilities)
        assert {label for label, _ in prediction.top} < set(KINETICS400_LABELS)
        assert prediction.classifier == small.name == "mc3_18"

    def test_two_labels_give_two(self) -> None:
        classifier = two_layers("mc3_18", ("fight", "no fight"))
        (prediction,) = classifier.classify([random_clip(2)])
        assert sum(p for _, p in prediction.top) == pytest.approx(1.0)
        assert {label for label, _ in prediction.top} == {"fight", "no fight"}

    def test_no_clips_give_no_predictions(self, small: NetworkClassifier) -> None:
        assert small.classify([]) == []

    def test_more_clips_than_a_batch_holds_stay_in_order(self, small: NetworkClassifier) -> None:
        clips = [random_clip(9 if k == 4 else 1, person_id=k + 1, seed=k % 3) for k in range(11)]
        predictions = small.classify(clips)
        assert [p.person_id for p in predictions] == list(range(1, 12))
        first, second, again = (dict(predictions[k].top) for k in (0, 1, 9))
        assert again == pytest.approx(first, abs=TOLERANCE)
        assert second != pytest.approx(first, abs=TOLERANCE)

    def test_threads_that_share_a_network_get_what_one_alone_gets(self, small: NetworkClassifier) -> None:
        clips = [random_clip(4, seed=seed) for seed in range(4)]
        expected = [small.classify([clip])[0].top for clip in clips]
        got: dict[int, tuple[tuple[str, float], ...]] = {}

        def work(k: int) -> None:
            got[k] = small.classify([clips[k]])[0].top

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for k in range(4):  # what goes through together is rounded otherwise
            assert dict(got[k]) == pytest.approx(dict(expected[k]), abs=1e-5)

    def test_warming_up_leaves_the_answers_as_they_are(self, small: NetworkClassifier) -> None:
        before = small.classify([random_clip(8)])
        small.warm_up(8)
        assert small.classify([random_clip(8)]) == before

    def test_scores_of_the_crop_and_of_the_mirrored_surroundings_are_averaged(
        self, four_labels: NetworkClassifier
    ) -> None:
        crop, around = random_clip(8, seed=1), random_clip(8, seed=2)
        mirrored = replace(around, rgb=np.ascontiguousarray(around.rgb[:, :, ::-1]))
        of_crop, of_mirrored = (probabilities(four_labels, clip) for clip in (crop, mirrored))
        both = probabilities(four_labels, replace(crop, surroundings_rgb=around.rgb))
        expected = np.sqrt(of_crop * of_mirrored)
        assert both == pytest.approx(expected / expected.sum(), abs=1e-5)

    def test_scores_of_both_views_follow_from_the_features(self, four_labels: NetworkClassifier) -> None:
        around = random_clip(8, seed=2).rgb
        clips = [random_clip(8, seed=1), replace(random_clip(8, seed=3), surroundings_rgb=around)]
        alone, both = four_labels.classify(clips)
        of_crop = four_labels.logits(clip_pictures([clip.rgb for clip in clips], 8))
        of_surroundings = four_labels.logits(clip_pictures([around], 8).flip(3))
        module = four_labels._runner._module[1]  # type: ignore[attr-defined]
        assert_scores_follow(alone.features, module, four_labels.spec, of_crop[0])
        assert_scores_follow(both.features, module, four_labels.spec, of_crop[1], of_surroundings[0])

    def test_of_clips_together_each_keeps_its_own_surroundings(self, four_labels: NetworkClassifier) -> None:
        clips = [random_clip(8, k, seed=k) for k in range(1, 5)]
        clips[1] = replace(clips[1], surroundings_rgb=random_clip(8, seed=8).rgb)
        clips[3] = replace(clips[3], surroundings_rgb=random_clip(8, seed=9).rgb)
        alone = [four_labels.classify([clip])[0] for clip in clips]
        for one, other in zip(alone, four_labels.classify(clips), strict=True):
            assert dict(one.top) == pytest.approx(dict(other.top), abs=1e-5)

    def test_a_temperature_flattens_the_probabilities_and_leaves_the_network_as_it_is(
        self, four_labels: NetworkClassifier
    ) -> None:
        before = probabilities(four_labels, random_clip(8))
        cooler = probabilities(four_labels.calibrated(2.0, None), random_clip(8))
        assert cooler == pytest.approx(np.sqrt(before) / np.sqrt(before).sum(), abs=1e-5)
        assert probabilities(four_labels, random_clip(8)) == pytest.approx(before)

    def test_evidence_changes_how_sure_a_label_is_but_never_which_label_or_a_clip_without_surroundings(
        self, small: NetworkClassifier
    ) -> None:
        clips = [replace(random_clip(8, k, seed=k), surroundings_rgb=random_clip(8, seed=9 + k).rgb) for k in (1, 2)]
        clips.append(random_clip(8, 3, seed=3))
        sure = small.calibrated(None, EvidenceWeights(constant=3.0, own_score=0.0, own_odds=0.0, stands_out=0.0))
        before, after = small.classify(clips), sure.classify(clips)
        assert [one.top[0][0] for one in after] == [one.top[0][0] for one in before]
        for one in after[:2]:
            assert one.top[0][1] == pytest.approx(1 / (1 + np.exp(-3)))
            assert sum(p for _, p in one.top) <= 1
        for one, other in zip(before[:2], after[:2], strict=True):
            assert other.network_probabilities == tuple(p for _, p in one.top), "what the network said is kept"
        assert after[2] == before[2]
        assert after[2].network_probabilities == ()

    def test_an_unavailable_device_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        assert resolve_device("auto") == torch.device("cpu")
        with pytest.raises(
            SettingsError, match=r"device is 'cuda', which PyTorch does not find on this machine; choose auto or cpu"
        ):
            resolve_device("cuda")
        with pytest.raises(SettingsError, match="device is 'tpu'; choose one of auto, cpu, cuda, mps"):
            Settings(device="tpu")

    def test_auto_takes_a_gpu_where_there_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        assert resolve_device("auto") == torch.device("cuda")

    def test_an_unknown_precision_is_refused(self) -> None:
        with pytest.raises(SettingsError, match="precision is 'int4'; choose one of auto, float32"):
            Settings(precision="int4")


@pytest.mark.real
class TestPublishedWeights:
    def test_a_file_as_torchvision_publishes_it_is_loaded(self, tmp_path: Path) -> None:
        reference, _ = seeded(get_model("s3d", weights=None, num_classes=400), spec_of("s3d"))
        path = tmp_path / SPECS["s3d"].weights.name
        torch.save(reference.state_dict(), path)
        classifier = load_classifier("s3d", weights_path=path, device="cpu", precision="float32")
        path.unlink()
        assert classifier.name == "s3d"
        assert classifier.labels == KINETICS400_LABELS
        x = network_input([random_clip(8).rgb], classifier.spec, 16)
        bare_samples = clip_pictures([random_clip(8).rgb], 8)  # the network itself sees each of them twice
        with torch.inference_mode():
            assert (classifier.logits(bare_samples) - reference(x.contiguous())).abs().max() < TOLERANCE

    def test_another_networks_file_is_refused_with_a_remedy(self, tmp_path: Path) -> None:
        path = tmp_path / "s3d-d76dad2f.pth"
        torch.save(get_model("mc3_18", weights=None, num_classes=400).state_dict(), path)
        with pytest.raises(
            WeightsError, match=r"does not hold the published weights of s3d; remove it and fetch s3d-.*again"
        ):
            load_classifier("s3d", weights_path=path)

    def test_a_file_with_other_classes_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "mc3_18-a90a0ba3.pth"
        torch.save(get_model("mc3_18", weights=None, num_classes=2).state_dict(), path)
        with pytest.raises(WeightsError, match="does not hold the published weights of mc3_18"):
            load_classifier("mc3_18", weights_path=path)

    def test_no_file_is_said_plainly(self) -> None:
        with pytest.raises(WeightsError, match="the weights of i3d are not given; fetch i3d-kinetics-400"):
            load_classifier("i3d")


ArrayTree = dict[str, Any]
"""Maps names to deeper trees and finally to arrays."""


def flax_tree(num_classes: int = 400) -> ArrayTree:
    """Return a tree with the published file's names and layouts and random numbers, derived from the network."""
    rng = np.random.default_rng(0)
    branches = {"b0": "Branch_0/Conv3d_0a_1x1", "b3b": "Branch_3/Conv3d_0b_1x1"}
    for branch in (1, 2):
        branches |= {f"b{branch}a": f"Branch_{branch}/Conv3d_0a_1x1", f"b{branch}b": f"Branch_{branch}/Conv3d_0b_3x3"}
    tree: ArrayTree = {"params": {}, "batch_stats": {}}
    with torch.device("meta"):
        units = [(key, m) for key, m in InceptionI3d(num_classes).named_modules() if hasattr(m, "conv3d")]
    for key, unit in units:
        layer, _, branch = key.partition(".")
        layer = "Logits/Conv3d_0c_1x1" if layer == "logits" else layer

        def at(kind: str, layer: str = layer, branch: str = branch) -> ArrayTree:
            node: ArrayTree = tree[kind].setdefault(layer, {})
            if not branch:
                return node
            below: ArrayTree = node.setdefault(branches[branch], {})
            return below

        out, into, *kernel = unit.conv3d.weight.shape
        scale = np.sqrt(2 / (into * np.prod(kernel)))
        conv = {"kernel": rng.normal(0, scale, (*kernel, into, out)).astype(np.float32)}
        at("params")["Conv_0"] = conv
        if unit.bn is None:
            conv["bias"] = rng.normal(size=out).astype(np.float32)
            continue
        at("params")["BatchNorm_0"] = {"bias": rng.normal(0, 0.1, out).astype(np.float32)}
        at("batch_stats")["BatchNorm_0"] = {
            "mean": rng.normal(0, 0.1, (1, 1, 1, 1, out)).astype(np.float32),
            "var": rng.uniform(0.5, 1.5, (1, 1, 1, 1, out)).astype(np.float32),
        }
    return tree


@pytest.mark.real
class TestI3d:
    def test_every_published_array_finds_its_place(self) -> None:
        tree = flax_tree()
        state = state_dict_from_arrays(tree)
        module = InceptionI3d()
        module.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
        mixed = tree["params"]["Mixed_4e"]["Branch_1/Conv3d_0b_3x3"]["Conv_0"]["kernel"]
        np.testing.assert_array_equal(
            module.get_parameter("Mixed_4e.b1b.conv3d.weight").detach().numpy(), mixed.transpose(4, 3, 0, 1, 2)
        )
        variance = tree["batch_stats"]["Conv3d_1a_7x7"]["BatchNorm_0"]["var"]
        np.testing.assert_array_equal(module.get_buffer("Conv3d_1a_7x7.bn.running_var").numpy(), variance.reshape(-1))

    def test_a_missing_a_spare_and_a_misshapen_array_are_named(self) -> None:
        tree = flax_tree()
        bias = tree["params"]["Mixed_3b"]["Branch_0/Conv3d_0a_1x1"]["BatchNorm_0"].pop("bias")
        with pytest.raises(WeightsError, match="have no 'params/Mixed_3b/Branch_0/Conv3d_0a_1x1/BatchNorm_0/bias'"):
            state_dict_from_arrays(tree)
        tree["params"]["Mixed_3b"]["Branch_0/Conv3d_0a_1x1"]["BatchNorm_0"] = {"bias": bias, "scale": bias}
        with pytest.raises(WeightsError, match=r"hold 'params/Mixed_3b/.*/scale', which the network does not use"):
            state_dict_from_arrays(tree)
        tree["params"]["Mixed_3b"]["Branch_0/Conv3d_0a_1x1"]["BatchNorm_0"] = {"bias": bias[:-1]}
        with pytest.raises(WeightsError, match=r"have shape \(63,\) for 'Mixed_3b.b0.bn.weight', not \(64,\)"):
            state_dict_from_arrays(tree)
        tree["params"]["Mixed_3b"]["Branch_0/Conv3d_0a_1x1"]["BatchNorm_0"] = {"bias": bias * np.nan}
        with pytest.raises(WeightsError, match="that is not finite"):
            state_dict_from_arrays(tree)
        tree["params"]["Mixed_3b"]["Branch_0/Conv3d_0a_1x1"]["BatchNorm_0"] = {"bias": "text"}
        with pytest.raises(WeightsError, match="hold a str at"):
            state_dict_from_arrays(tree)

    @settings(max_examples=20)
    @given(
        length=st.integers(3, 9),
        kernel=st.sampled_from([(1, 3, 3), (3, 3, 3), (2, 2, 2)]),
        stride=st.sampled_from([1, 2]),
        seed=st.integers(0, 99),
    )
    def test_pools_see_what_tensorflows_same_padding_shows_them(
        self, length: int, kernel: tuple[int, int, int], stride: int, seed: int
    ) -> None:
        x = np.random.default_rng(seed).random((length, length, length), dtype=np.float32)
        strides = (1 if kernel[0] == 1 else stride, stride, stride)
        got = MaxPoolSame(kernel, strides)(torch.from_numpy(x)[None, None])[0, 0].numpy()
        outputs = [-(-length // s) for s in strides]
        assert list(got.shape) == outputs
        before = [max((o - 1) * s + k - length, 0) // 2 for o, s, k in zip(outputs, strides, kernel, strict=True)]
        for place in np.ndindex(*outputs):
            starts = [p * s - b for p, s, b in zip(place, strides, before, strict=True)]
            window = tuple(slice(max(a, 0), a + k) for a, k in zip(starts, kernel, strict=True))
            assert got[place] == x[window].max()

    @pytest.mark.parametrize("samples", [8, 17])  # stretched to 16 frames; an odd length pads unevenly
    def test_scores_are_the_mean_over_time_of_the_published_formula(self, samples: int) -> None:
        """Compute the network with plain functions, written from the paper's figure and independent of its classes."""
        tree = flax_tree(num_classes=5)
        module = InceptionI3d(5).eval()
        module.load_state_dict({key: torch.from_numpy(v) for key, v in state_dict_from_arrays(tree).items()})
        spec = SPECS["i3d"]
        classifier = NetworkClassifier(spec, module, tuple("abcde"))
        rgb = random_clip(samples, seed=4).rgb
        with torch.inference_mode():
            expected = _i3d_by_hand(tree, network_input([rgb], spec, spec.length.network_length(samples)))
        scores = classifier.logits(clip_pictures([rgb], spec.frames_fed(samples)))
        assert (scores - expected).abs().max() < TOLERANCE
        assert expected.std() > 0.1
        (prediction,) = classifier.classify([random_clip(samples, seed=4)])
        assert_scores_follow(prediction.features, module, spec, expected[0])


def _i3d_by_hand(tree: ArrayTree, x: torch.Tensor) -> torch.Tensor:
    from torch.nn import functional as f

    def same(x: torch.Tensor, kernel: tuple[int, ...], stride: tuple[int, ...], value: float) -> torch.Tensor:
        for axis in range(3):
            n = x.shape[2 + axis]
            total = max((-(-n // stride[axis]) - 1) * stride[axis] + kernel[axis] - n, 0)
            pad = [0] * 6
            pad[4 - 2 * axis], pad[5 - 2 * axis] = total // 2, total - total // 2
            x = f.pad(x, pad, value=value)
        return x

    def unit(x: torch.Tensor, *path: str, stride: int = 1) -> torch.Tensor:
        params, stats = tree["params"], tree["batch_stats"]
        for key in path:
            params, stats = params[key], stats[key]
        kernel = torch.from_numpy(params["Conv_0"]["kernel"]).permute(4, 3, 0, 1, 2)
        x = f.conv3d(same(x, tuple(kernel.shape[2:]), (stride,) * 3, 0.0), kernel, stride=stride)
        mean, var = (torch.from_numpy(stats["BatchNorm_0"][k]).reshape(1, -1, 1, 1, 1) for k in ("mean", "var"))
        shift = torch.from_numpy(params["BatchNorm_0"]["bias"]).reshape(1, -1, 1, 1, 1)
        return ((x - mean) / torch.sqrt(var + 1e-3) + shift).clamp(min=0)

    def pool(x: torch.Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> torch.Tensor:
        return f.max_pool3d(same(x, kernel, stride, float("-inf")), kernel, stride)

    def mixed(x: torch.Tensor, name: str) -> torch.Tensor:
        branches = [unit(x, name, "Branch_0/Conv3d_0a_1x1")]
        for k in (1, 2):
            inner = unit(x, name, f"Branch_{k}/Conv3d_0a_1x1")
            branches.append(unit(inner, name, f"Branch_{k}/Conv3d_0b_3x3"))
        branches.append(unit(pool(x, (3, 3, 3), (1, 1, 1)), name, "Branch_3/Conv3d_0b_1x1"))
        return torch.cat(branches, 1)

    x = pool(unit(x, "Conv3d_1a_7x7", stride=2), (1, 3, 3), (1, 2, 2))
    x = pool(unit(unit(x, "Conv3d_2b_1x1"), "Conv3d_2c_3x3"), (1, 3, 3), (1, 2, 2))
    x = pool(mixed(mixed(x, "Mixed_3b"), "Mixed_3c"), (3, 3, 3), (2, 2, 2))
    for letter in "bcdef":
        x = mixed(x, f"Mixed_4{letter}")
    x = mixed(mixed(pool(x, (2, 2, 2), (2, 2, 2)), "Mixed_5b"), "Mixed_5c")
    last = tree["params"]["Logits/Conv3d_0c_1x1"]["Conv_0"]
    x = f.avg_pool3d(x, (2, 7, 7), stride=1).flatten(2)
    kernel = torch.from_numpy(last["kernel"]).reshape(1024, -1)
    return (torch.einsum("bct,cn->btn", x, kernel) + torch.from_numpy(last["bias"])).mean(1)
