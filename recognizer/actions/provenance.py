"""The set of own actions in the provenance of a timeline that it named. Quick to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Mode = Literal["instead", "beside", "only"]
"""How own names are shown: instead of the network's where one holds, in a lane beside the network's, or alone."""

TITLE_KEY: Final = "own_actions"
SHA256_KEY: Final = "own_actions_sha256"
MODE_KEY: Final = "own_actions_mode"

_IN_WORDS: Final[Mapping[Mode, str]] = {
    "instead": "an own name where one holds, the network's label elsewhere",
    "beside": "own names; the network's labels are shown beside them and not exported",
    "only": "own names only, unknown elsewhere",
}


def provenance_of(title: str, sha256: str, mode: Mode) -> dict[str, str]:
    """Return what a timeline's provenance gets when a set names it."""
    return {TITLE_KEY: title, SHA256_KEY: sha256, MODE_KEY: mode}


def own_names_key(provenance: Mapping[str, str]) -> tuple[str | None, ...]:
    """Return what tells the names of one timeline from those of another: the set, its content, and the mode."""
    return tuple(provenance.get(key) for key in (TITLE_KEY, SHA256_KEY, MODE_KEY))


def own_names_in_words(provenance: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the title of the set that named a timeline, and how its names are shown; None for the network's labels."""
    title = provenance.get(TITLE_KEY)
    if title is None:
        return None
    words = {str(mode): text for mode, text in _IN_WORDS.items()}
    return title, words.get(provenance.get(MODE_KEY, ""), _IN_WORDS["only"])
