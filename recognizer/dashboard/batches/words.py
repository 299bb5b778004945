"""A batch in words, for the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from recognizer.batch.recipe import PATH_SETTINGS, Recipe
from recognizer.batch.watching import Progress
from recognizer.settings import SETTING_SPECS


def state_of(progress: Progress, *, is_working: bool) -> str:
    """Return in a few words what becomes of a batch."""
    if is_working:
        return "running"
    if not progress.total:
        return "empty"
    if progress.waiting > progress.again:
        return "stopped before the end"
    if progress.waiting:
        return "some to be tried again"
    return "done"


def videos(count: int) -> str:
    """Return a number of videos."""
    return "1 video" if count == 1 else f"{count:,} videos"


def settings_names(recipes: Mapping[str, Recipe]) -> dict[str, str]:
    """Return what to call each recipe, by its digest: the settings in which it differs from the others."""
    all_values = {digest: _values(recipe) for digest, recipe in recipes.items()}
    titles = {title: None for values in all_values.values() for title in values}
    differ = [title for title in titles if len({str(values.get(title)) for values in all_values.values()}) > 1]
    return {
        digest: ", ".join(_said(title, values[title]) for title in differ if values.get(title) is not None)
        or digest[:6]  # they differ in the bytes of a file
        for digest, values in all_values.items()
    }


def _said(title: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"{title}: {'yes' if value else 'no'}"
    return f"{title}: {value}"


def _values(recipe: Recipe) -> dict[str, Any]:
    found = recipe.settings_at(None).as_dict()
    found |= {name: PurePath(found[name]).name for name in PATH_SETTINGS if found.get(name)}
    named = {SETTING_SPECS[name].title: value for name, value in found.items() if name in SETTING_SPECS}
    others = {
        "Preset": recipe.preset,
        "Minimum confidence": recipe.least_confidence,
        "Minimum duration": recipe.min_duration_s,
        "Stream": recipe.stream,
        "Frame rate": recipe.frame_rate_hz,
    }
    return named | others
