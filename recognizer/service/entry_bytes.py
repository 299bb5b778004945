"""The entries of a comparison as bytes for the database: their facts as JSON, their timelines as arrays."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import msgspec

from recognizer.comparison.model import Cost, Entry
from recognizer.errors import StoreError
from recognizer.export import timeline_from_json
from recognizer.service.timeline_bytes import timelines_from_bytes, timelines_to_bytes
from recognizer.settings import settings_from
from recognizer.timeline.model import Timeline

_BEGINNING: Final = b"CE1\n"
_KIND: Final = b"CE"


class _Entries(msgspec.Struct, array_like=True):
    """JSON of the entries, and the timelines of those that have one, in their order."""

    facts: str
    timelines: bytes


def entries_to_bytes(entries: Sequence[Entry]) -> bytes:
    """Return entries as bytes."""
    timelines = [entry.timeline for entry in entries if entry.timeline is not None]
    facts = json.dumps([_facts(entry) for entry in entries])
    return _BEGINNING + msgspec.msgpack.encode(_Entries(facts, timelines_to_bytes(timelines)))


def entries_from_bytes(content: bytes) -> tuple[Entry, ...]:
    """Return stored entries, without names; those from before version 5 of the database are compressed JSON.

    Raises:
        StoreError: a later version of this program wrote them.
        SettingsError, ValueError, KeyError, TypeError: they are damaged.
    """
    if not content.startswith(_KIND):
        try:
            values = json.loads(zlib.decompress(content).decode())
        except zlib.error as error:
            raise ValueError(f"the text cannot be decompressed ({error})") from error
        return tuple(
            _entry(one, None if one["timeline"] is None else timeline_from_json(one["timeline"])) for one in values
        )
    if not content.startswith(_BEGINNING):
        raise StoreError("a later version of this program wrote this comparison; install the latest version.")
    stored = msgspec.msgpack.decode(content[len(_BEGINNING) :], type=_Entries)
    timelines = iter(timelines_from_bytes(stored.timelines))
    return tuple(_entry(one, next(timelines) if one["has_timeline"] else None) for one in json.loads(stored.facts))


def _facts(entry: Entry) -> dict[str, Any]:
    return {
        # includes a checkpoint's folder, unlike an export, so that the entry can run again
        "settings": entry.settings.as_dict(),
        "checkpoint_name": entry.checkpoint_name,
        "labels": entry.labels,
        "problem": entry.problem,
        "cost": None if entry.cost is None else asdict(entry.cost),
        "has_timeline": entry.timeline is not None,
    }


def _entry(values: dict[str, Any], timeline: Timeline | None) -> Entry:
    return Entry(
        name="",
        settings=settings_from(values["settings"]),
        checkpoint_name=values["checkpoint_name"],
        labels=tuple(values["labels"]),
        timeline=timeline,
        cost=None if values["cost"] is None else Cost(**values["cost"]),
        problem=values["problem"],
    )
