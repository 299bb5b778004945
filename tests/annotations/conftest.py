"""Files of labels as people have them, which are not part of the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.environment import SHARED_ANNOTATIONS, skip_or_fail


@pytest.fixture(scope="session")
def annotations_dir() -> Path:
    """The folder of label files, with a README that states what each is."""
    if not SHARED_ANNOTATIONS.is_dir():
        skip_or_fail("the label files are not here; put them into ../shared/annotations")
    return SHARED_ANNOTATIONS
