"""A real fine-tuned network from the package index."""

from __future__ import annotations

from pathlib import Path

from tests.support.weights import fetch_archive_member

FIGHT_SHA256 = "8268694ade4c0e79a1c5fa41a4f3c21129082d75fac9eb7c25e5a0eabad49bfa"


def fight_weights() -> Path:
    """Return the weights of an ``mc3_18`` fine-tuned to two classes, fight and noFight."""
    return fetch_archive_member("Fight-Detection==0.0.3", "fight_detection/model_16_m3_0.8888.pth", FIGHT_SHA256)


def fight_checkpoint(folder: Path) -> tuple[Path, Path]:
    """Return the same weights and their file of labels, written into ``folder``."""
    labels = folder / "labels.txt"
    labels.write_text("fight\nnoFight\n", encoding="utf-8")
    return fight_weights(), labels
