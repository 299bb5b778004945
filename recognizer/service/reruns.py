"""Run a stored analysis once more, with its own settings: one from before features were kept then has them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from recognizer.analysis.passes import pass_key_from
from recognizer.errors import StoreError
from recognizer.service.store import StoredAnalysis, StoredFile
from recognizer.service.tasks import ServerContext
from recognizer.settings import Settings


@dataclass(frozen=True)
class Rerun:
    """Video and settings for another run of a stored analysis.

    Attributes:
        video: the video.
        settings: those of the analysis, with ``keep_features``.
        from_crops: whether people's crops are still here, so that nobody is looked for again.
    """

    video: StoredFile
    settings: Settings
    from_crops: bool


def rerun_of(context: ServerContext, stored: StoredAnalysis) -> Rerun:
    """Return what another run of an analysis takes.

    Raises:
        StoreError: it cannot be run again; the sentence says why and what to do.
    """
    timeline, name = stored.timeline, stored.video_name
    if timeline.video.sha256 is None:
        raise StoreError(
            f"'{name}' was a live session, whose pictures are not kept; record the next one and analyse the recording."
        )
    if not context.store.is_here(stored.video_path):
        raise StoreError(f"the video '{name}' is no longer stored here; drop it in again and analyse it.")
    settings = replace(timeline.settings, keep_features=True)
    for path in (settings.checkpoint_path, settings.labels_path):
        if path is not None and not Path(path).is_file():
            raise StoreError(
                f"'{name}' was analysed with your own checkpoint, and '{path}' is not kept with an analysis; choose it "
                "in the sidebar and analyse the video again."
            )
    source = context.store.source(stored.video_path)
    size_bytes = sum(path.stat().st_size for path in source.paths)
    key = pass_key_from(timeline.video.sha256, timeline.provenance, settings, timeline.reading)
    from_crops = key is not None and context.pass_store.has_crops(key, settings.crop_style)
    return Rerun(StoredFile(stored.video_path, name, timeline.video.sha256, size_bytes), settings, from_crops)
