"""Save points of an analysis: what it saw and said so far, so that another process can go on after a crash.

A save point holds no pictures. People are followed again from what the frames showed (``sights``), and each clip gets
the prediction that it got before: no network runs. Then the video is decoded up to the save point, and only the
pictures that later clips still need are cut out (docs/decisions/091).
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import zlib
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec
import numpy as np

from recognizer import __version__
from recognizer.analysis.passes import pass_key_from
from recognizer.analysis.sights import Sight, UnfitError, packed, unpacked
from recognizer.errors import StoreError
from recognizer.networks.loading import Models
from recognizer.settings import Settings
from recognizer.types import Clip, ClipFeatures, Prediction, Reading

_log = logging.getLogger(__name__)

FORMAT: Final = 1
"""Part of the key: save points of another format are not read."""

EVERY_VIDEO_S: Final = 5.0
EVERY_S: Final = 5.0
CLOSEST_S: Final = 0.5
"""A save point follows after so many seconds of the video, or of work, whichever comes first, but not more often than
twice a second: on a machine ten times as fast as the video, that is the bound."""

_COMPRESSION: Final = 1
"""Level of zlib: appearances, most of a save point, shrink to a fifth in a tenth of the default level's time."""


class SavePoints(Protocol):
    """A store of the save points of one run."""

    def chunks(self) -> Sequence[bytes]:
        """Return everything saved so far, in order."""
        ...

    def save(self, chunk: bytes) -> None:
        """Append a chunk; it survives the end of this process.

        Raises:
            StoreError: it cannot be saved.
        """
        ...


class _Chunk(msgspec.Struct, array_like=True):
    """The additions from one save point to the next.

    Attributes:
        key: the analysis, see ``journal_key``.
        attempt: grows when an analysis begins at the start again; earlier attempts are void.
        sights: see ``sights.packed``.
        predictions: see ``_values``.
    """

    key: str
    attempt: int
    sights: dict[str, bytes]
    predictions: list[Any]


def journal_key(purpose: str, video_sha256: str | None, reading: Reading, models: Models, settings: Settings) -> str:
    """Return the key of an analysis's save points: two with the same key have the same result.

    Args:
        purpose: ``label``, or ``find`` if nobody is labelled; then other settings of the classifier do not matter.
        video_sha256: hash of the file, or of the recording.
        reading: holds what the user chose about the file.
        models: the networks.
        settings: those of the analysis.
    """
    parts: dict[str, Any] = {"format": FORMAT, "version": __version__, "purpose": purpose}
    pass_key = pass_key_from(video_sha256, models.provenance, settings, reading)
    parts["pass"] = pass_key
    if purpose == "label" or pass_key is None:
        parts["video"] = video_sha256
        parts["settings"] = settings.as_dict()
        parts["networks"] = dict(models.provenance)
        parts["classifier"] = models.classifier.name
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


class Journal:
    """What one analysis saw and said: read from the save points of an earlier process, and written as it goes on.

    Both are prefixes of what an undisturbed analysis sees and says, in its order.

    Args:
        save_points: where it is kept; None if it is not.
        key: see ``journal_key``; what has another key is left alone.

    Attributes:
        sights: what an earlier process saw.
        said: what it said; the analysis takes predictions from the left.
    """

    def __init__(self, save_points: SavePoints | None, key: str) -> None:
        self._save_points = save_points
        self._key = key
        self._attempt = 0
        self.sights: list[Sight] = []
        self.said: deque[Prediction] = deque()
        self._new_sights: list[Sight] = []
        self._new_predictions: list[Prediction] = []
        self._is_behind = False
        self._saved_at_s, self._saved_video_s = time.monotonic(), float("-inf")
        if save_points is not None:
            self._read(save_points)

    @property
    def begins_anew(self) -> bool:
        """Whether no earlier process saved anything."""
        return not self.sights and not self.said

    def _read(self, save_points: SavePoints) -> None:
        for document in save_points.chunks():
            try:
                chunk = msgspec.msgpack.decode(zlib.decompress(document), type=_Chunk)
                if chunk.key != self._key:
                    continue
                if chunk.attempt != self._attempt:
                    self._attempt = chunk.attempt
                    self.sights.clear()
                    self.said.clear()
                if chunk.sights:
                    self.sights += unpacked(chunk.sights)
                self.said += map(_prediction, chunk.predictions)
            except (zlib.error, msgspec.DecodeError, ValueError, KeyError, TypeError) as error:
                _log.warning("a save point cannot be read (%s), so the analysis begins at the start", error)
                self.forget()
                return

    def forget(self) -> None:
        """Begin at the start: what was saved is void."""
        self.sights, self.said = [], deque()
        self._new_sights, self._new_predictions = [], []
        self._attempt += 1

    def saw(self, sight: Sight) -> None:
        """Note what the next sampled frame showed."""
        if self._save_points is not None:
            self._new_sights.append(sight)

    def heard(self, predictions: Sequence[Prediction]) -> None:
        """Note what the classifier said about the next clips."""
        if self._save_points is not None:
            self._new_predictions += predictions

    def repeat(self, clips: Sequence[Clip]) -> list[Prediction]:
        """Return what was said about the first of these clips, as far as it is known.

        Raises:
            UnfitError: it was said about other clips.
        """
        known: list[Prediction] = []
        for clip in clips[: len(self.said)]:
            said = self.said.popleft()
            if (said.person_id, said.start_s, said.end_s) != (clip.person_id, clip.start_s, clip.end_s):
                raise UnfitError(f"a prediction from {said.start_s:g} s on is about another clip")
            known.append(said)
        return known

    def save_if_due(self, video_s: float) -> None:
        """Save what is new if the latest save point is old enough.

        Args:
            video_s: how far the video is analysed.
        """
        if self._save_points is None:
            return
        since_s = time.monotonic() - self._saved_at_s
        if since_s < CLOSEST_S or (since_s < EVERY_S and video_s - self._saved_video_s < EVERY_VIDEO_S):
            return
        self.save(video_s)

    def save(self, video_s: float) -> None:
        """Save what is new; if that fails, it is tried again with the next save point."""
        if self._save_points is None or not (self._new_sights or self._new_predictions):
            return
        sights = packed(self._new_sights) if self._new_sights else {}
        chunk = _Chunk(self._key, self._attempt, sights, [_values(one) for one in self._new_predictions])
        try:
            self._save_points.save(zlib.compress(msgspec.msgpack.encode(chunk), _COMPRESSION))
        except StoreError as error:
            if not self._is_behind:  # it is tried every few seconds
                _log.warning("no save point: %s", error)
            self._is_behind = True
        else:
            self._new_sights, self._new_predictions = [], []
            self._is_behind = False
        self._saved_at_s, self._saved_video_s = time.monotonic(), video_s


def _values(said: Prediction) -> tuple[Any, ...]:
    features = said.features
    kept = (
        None
        if features is None
        else [
            (array.shape, array.tobytes()) for array in (features.codes, features.low, features.step, features.rising)
        ]
    )
    return said.person_id, said.start_s, said.end_s, said.top, said.classifier, said.network_probabilities, kept


def _prediction(values: Sequence[Any]) -> Prediction:
    person_id, start_s, end_s, top, classifier, own, kept = values
    features = None
    if kept is not None:
        dtypes = (np.uint8, np.float32, np.float32, np.uint8)
        features = ClipFeatures(
            *(
                np.frombuffer(content, dtype).reshape(shape)
                for (shape, content), dtype in zip(kept, dtypes, strict=True)
            )
        )
    labels = tuple((label, probability) for label, probability in top)
    return Prediction(person_id, start_s, end_s, labels, classifier, tuple(own), features)
