"""Settings that differ from the defaults in one field."""

from __future__ import annotations

from typing import Any

from recognizer.settings import SETTING_SPECS, Settings


def another(name: str) -> Settings:
    """Return the defaults with another value for the setting of this name."""
    spec = SETTING_SPECS[name]
    if spec.choices:
        value: Any = next(choice for choice in spec.choices if choice != spec.default)
    elif spec.kind is bool:
        value = not spec.default
    elif spec.limits is not None:
        value = next(end for end in spec.limits if end != spec.default)
    else:
        return Settings(checkpoint_path=f"{name}.pth", labels_path=f"{name}.txt")
    return Settings(**{name: value})
