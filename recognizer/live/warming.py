"""Load networks and run them once, so that the first real frame and clip do not wait for set-up."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from recognizer.networks.cache import network_keys
from recognizer.networks.loading import Models, loading_message
from recognizer.service.jobs import Job
from recognizer.service.tasks import ServerContext, Status, fetch_report
from recognizer.settings import Settings


def load_and_warm(context: ServerContext, settings: Settings, job: Job[Models] | None = None) -> Models:
    """Return the networks of ``settings``, each run once."""
    report = fetch_report(job) if job is not None else None
    if job is not None:
        job.report(Status(loading_message(settings)))
    models = context.models.get(settings, report)
    if job is not None:
        job.report(Status("Warming the networks up"))
    models.detector.detect([np.zeros((480, 640, 3), np.uint8)])
    models.classifier.warm_up(settings.num_video_sequence_samples)
    return models


class WarmNetworks:
    """Loads networks, and warms each of them once.

    Args:
        context: where the networks are cached.
        settings: the settings of the networks that are already warm.
    """

    def __init__(self, context: ServerContext, settings: Settings) -> None:
        self._context = context
        self._warm = {_warmth(settings)}

    def note(self, settings: Settings) -> None:
        """Note that the networks of ``settings`` have been warmed elsewhere."""
        self._warm.add(_warmth(settings))

    def load(self, settings: Settings) -> Models:
        """Return the networks of ``settings``, warm."""
        if _warmth(settings) in self._warm:
            return self._context.models.get(settings)
        models = load_and_warm(self._context, settings)
        self.note(settings)
        return models


def _warmth(settings: Settings) -> Hashable:
    """Return everything that a network's set-up depends on."""
    return network_keys(settings), settings.num_video_sequence_samples
