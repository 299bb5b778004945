"""Stand-ins for the networks of a whole page, and for their weights."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recognizer.errors import WeightsError
from recognizer.networks import loading as models_module
from recognizer.settings import (
    Settings,
)
from recognizer.types import Clip
from tests.support.fakes import Script, ScriptedClassifier, ScriptedDetector, always, person
from tests.support.waiting import WAIT_S


class Networks:
    """The behaviour of the stand-ins; a test changes it before it runs the page."""

    def __init__(self) -> None:
        self.script: Script = always(person())
        self.says: Callable[[Clip], tuple[tuple[str, float], ...]] = lambda _: (("waving", 0.6), ("jogging", 0.3))
        self.missing: set[str] = set()
        self.classified = 0
        self.warmed: list[int] = []
        self.analysed_with: list[Settings] = []
        self.hold: threading.Event | None = None
        self.reached = threading.Event()
        self.checkpoint_loader: Callable[..., Any] = models_module.load_clip_classifier

    def resolve(self, name: str, *, progress: Any = None) -> Path:
        if name in self.missing:
            raise WeightsError(f"the weights of {name} cannot be had; put {name}.bin into the folder.")
        return Path(name)

    def load_detector(self, settings: Settings, progress: Any = None) -> tuple[Any, dict[str, str]]:
        return _Detector(self), {"detector_sha256": "0" * 64}

    def load_clip_classifier(self, settings: Settings, progress: Any = None) -> tuple[Any, dict[str, str]]:
        if settings.checkpoint_path is not None:
            return self.checkpoint_loader(settings, progress)  # type: ignore[no-any-return]
        return _Classifier(self), {"classifier": settings.video_classifier_model}


class _Detector:
    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def detect(self, frames_rgb: Any) -> Any:
        return ScriptedDetector(self._networks.script).detect(frames_rgb)


class _Classifier(ScriptedClassifier):
    def __init__(self, networks: Networks) -> None:
        super().__init__(lambda clip: networks.says(clip))
        self._networks = networks

    def classify(self, clips: Any) -> Any:
        if self._networks.hold is not None and clips:
            self._networks.reached.set()
            assert self._networks.hold.wait(WAIT_S)
        self._networks.classified += len(clips)
        return super().classify(clips)

    def warm_up(self, samples: int) -> None:
        self._networks.warmed.append(samples)
