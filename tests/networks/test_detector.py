"""What the detector does besides running its network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.ops import nms

from recognizer.errors import WeightsError
from recognizer.networks.backends.autotune import Backends, TunableNetwork, TunedNetwork
from recognizer.networks.backends.choice_store import Choice
from recognizer.networks.backends.ways import REFERENCE
from recognizer.networks.detector import YoloDetector, box_difference_px, distinct, people_only


def test_boxes_are_distinct_as_torchvision_has_it() -> None:
    rng = np.random.default_rng(0)
    for count in (0, 1, 2, 40, 90):
        of_person = rng.integers(0, 6, count)
        centres, sizes = rng.uniform(0, 640, (6, 2))[of_person], rng.uniform(10, 200, (6, 2))[of_person]
        corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
        boxes = (corners + rng.normal(0, 6, (count, 4))).astype(np.float32)
        confidences = rng.uniform(0.05, 0.95, count).round(1).astype(np.float32)  # some are equal
        expected = nms(torch.from_numpy(boxes), torch.from_numpy(confidences), 0.7).numpy()
        np.testing.assert_array_equal(distinct(boxes, confidences, 0.7), expected)


def test_only_places_whose_best_class_is_a_person_have_a_score() -> None:
    decoded = torch.rand(2, 84, 500, generator=torch.Generator().manual_seed(0))
    decoded[:, 4, ::2] += 0.5
    decoded[0, 4:, :9] = 1.0  # where a score is equal, the person counts, as the first class
    found = people_only(decoded)
    assert found.shape == (2, 5, 500)
    assert torch.equal(found[:, :4], decoded[:, :4])
    expected = torch.where(decoded[:, 4:].argmax(1) == 0, decoded[:, 4], 0.0)
    assert torch.equal(found[:, 4], expected)
    assert 0 < int((expected > 0).sum()) < expected.numel()


def test_the_network_is_built_when_a_runner_needs_it_and_only_from_the_verified_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[TunableNetwork] = []

    def tune(_: Backends, network: TunableNetwork, __: torch.device) -> TunedNetwork:
        asked.append(network)
        return TunedNetwork(lambda batch: batch, None, Choice(REFERENCE))  # type: ignore[arg-type]

    monkeypatch.setattr(Backends, "tune", tune)
    weights = tmp_path / "yolo26n.pt"
    weights.write_bytes(b"verified")
    YoloDetector(weights, torch.device("cpu"), Backends(tmp_path))
    (network,) = asked
    assert not network.module.is_made
    weights.write_bytes(b"another file")
    with pytest.raises(WeightsError, match="has changed since it was loaded; put the old file back or start again"):
        network.module()
    weights.unlink()
    with pytest.raises(WeightsError, match="cannot be read any more"):
        network.module()


def test_ways_are_compared_where_somebody_is_seen() -> None:
    reference = np.zeros((1, 5, 3), np.float32)
    reference[0, :4] = [[100.0], [100.0], [40.0], [80.0]]
    reference[0, 4, 1:] = 0.9
    other = reference.copy()
    other[0, :4, 0] += 50
    assert box_difference_px(reference, other) == 0, "nobody is there"
    other[0, 0, 1:] += 0.2
    other[0, 2, 1:] += 0.4  # the left side stays, the right one moves by twice as much
    assert box_difference_px(reference, other) == pytest.approx(0.4, abs=1e-4)
    reference[0, 4] = 0.1
    assert box_difference_px(reference, other) > 40, "nobody is anywhere, so everything counts"
