"""Generated sets of own actions."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
from PIL import Image

from recognizer.actions.model import ActionSet, Background, ClipSettings, Example, OwnAction
from recognizer.actions.posture import POSTURE
from recognizer.timeline.features import FeatureSpace
from tests.support.own_actions import SIZE, described, moments

SPACE = FeatureSpace("i3d", "cd" * 32, SIZE)
CLIPS = ClipSettings(2, 38, 2, "pytorch-float32", 2.53)


def jpeg(shade: int = 100, size_px: tuple[int, int] = (48, 96)) -> bytes:
    """Return a small picture."""
    content = io.BytesIO()
    Image.new("RGB", size_px, (shade, 80, 120)).save(content, "JPEG")
    return content.getvalue()


def example(action: str | None, number: int = 0, *, video: int = 0, pictures: int = 0) -> Example:
    """Return an example whose features follow from its action."""
    shown = tuple(jpeg(10 * number + k) for k in range(pictures))
    return Example(
        f"{action}-{video}-{number}",
        action,
        f"{video:02x}" * 32,
        f"video {video}.mp4",
        1,
        3.0 * number,
        3.0 * number + 2.5,
        described(moments(action, 1, number, video=video)).views[0],
        np.where(np.arange(len(POSTURE)) == 0, np.nan, 0.1 * number),
        datetime(2026, 11, 29, 12, tzinfo=UTC),
        shown,
        len(shown),
    )


def action_set(*actions: str | None, videos: int = 2, each: int = 2, pictures: int = 0) -> ActionSet:
    """Return a set with ``each`` examples of every action in each video; None is none of these."""
    examples = tuple(
        example(action, each * k + number, video=video, pictures=pictures)
        for video in range(videos)
        for k, action in enumerate(actions)
        for number in range(each)
    )
    names = tuple(OwnAction(one, k) for k, one in enumerate(actions) if one is not None)
    backgrounds = tuple(
        Background(f"{video:02x}" * 32, described(moments("any", 3, video=video)).views) for video in range(videos)
    )
    return ActionSet("a-set", "Everyday", SPACE, CLIPS, names, examples, backgrounds=backgrounds)
