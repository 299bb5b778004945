"""A set in words, for the page."""

from __future__ import annotations

from recognizer.actions.model import ActionSet


def gathered(moments: int, videos: int) -> str:
    """Return how much there is: ``6 moments in 4 videos``."""
    if not moments:
        return "no moments yet"
    return f"{counted(moments, 'moment')} in {counted(videos, 'video')}"


def counted(count: int, word: str) -> str:
    """Return a number with its noun: ``1 video``, ``3 videos``."""
    return f"1 {word}" if count == 1 else f"{count} {word}s"


def left_out(actions: ActionSet) -> str:
    """Return what a set needs before it can be measured by leaving one video out at a time."""
    if not any(one.action is not None for one in actions.examples):
        return "Mark moments of an action in two videos to see how well it is recognized."
    few = [
        name
        for name in actions.names
        if actions.examples_of(name) and len({one.video_key for one in actions.examples_of(name)}) < 2
    ]
    if few:
        listed = few[0] if len(few) == 1 else f"{', '.join(few[:-1])} and {few[-1]}"
        return f"To measure how good the names are, mark {listed} in a second video as well."
    return 'To measure how good the names are, mark a second action, or some moments "none of these".'


def named_others(named: int, total: int) -> str:
    """Return how many moments of none of these get a name: ``1 of 4 gets a name``."""
    return f"{named} of {total} {'gets' if named == 1 else 'get'} a name"


def no_questions(actions: ActionSet, has_analyses: bool) -> str:
    """Return why there is nothing to ask."""
    if len({one.action for one in actions.examples}) < 2:
        return 'Mark moments of two actions first, or of one and of "none of these"; then it knows what to ask.'
    return no_groups(has_analyses)


def no_groups(has_analyses: bool) -> str:
    """Return why no moments are found."""
    if not has_analyses:
        return "This browser has no analyses yet; analyse a video first."
    return "Nothing more is found in your analysed videos; analyse another one."
