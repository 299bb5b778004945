"""The questions that a file of labels leaves open: which part of it, who is who, what excludes what, its clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import streamlit as st

from recognizer.annotations.fitting import (
    LabelledVideo,
    begin_of,
    fit_labels,
    names_in,
    part_for,
    who_is,
)
from recognizer.annotations.model import AN_ACTION, EVERYONE, LEFT_OUT, Answers, LabelFile, Part, Truth, Who
from recognizer.annotations.text import time_in_s
from recognizer.dashboard import server, state
from recognizer.dashboard.parts.visitor import may_correct
from recognizer.dashboard.text import plain, sentence
from recognizer.service.comparisons import StoredComparison

_MOST_NAMES: Final = 60
"""More names than this make no table that anybody fills in."""


def ask(shown: StoredComparison, labels: LabelFile, video: LabelledVideo) -> Truth:
    """Draw the questions that a file of labels leaves open, store new answers, and return the labels of the video.

    Raises:
        TruthError: the labels do not fit the video, or a question without which nothing fits has no answer.
    """
    answers = shown.answers
    part = part_for(labels, video.name, answers)
    with st.expander("How your labels are read", expanded=_is_open(part, video, answers), icon=":material/rule:"):
        answers = _ask_part(labels, part, answers)
        part = part_for(labels, video.name, answers)
        if part is not None:
            answers = _ask_people(part, video, answers)
            answers = _ask_begin(part, video, answers)
        try:
            truth = fit_labels(labels, video, answers)
            answers, before = _ask_exclusive(truth, answers), answers
        finally:
            if answers != shown.answers:
                if may_correct(shown.comparison_id):
                    server.context().comparisons.save_answers(shown.comparison_id, answers)
                state.tab().compare.shown = replace(shown, answers=answers)
    return truth if answers == before else fit_labels(labels, video, answers)


def _is_open(part: Part | None, video: LabelledVideo, answers: Answers) -> bool:
    """Return whether there is a question without an answer, so that the questions are shown at first."""
    if part is None or begin_of(part, video, answers) is None:
        return True
    return any(who_is(name, answers) is None for name in names_in(part))


def _key(name: str) -> str:
    return f"labels-{state.tab().compare.truth_uploads}-{name}"


def _ask_part(labels: LabelFile, part: Part | None, answers: Answers) -> Answers:
    if len(labels.parts) == 1:
        return answers
    names = [one.name for one in labels.parts]
    chosen = st.selectbox(
        "Recording",
        names,
        index=None if part is None else names.index(part.name),
        placeholder="Choose the one that is this video",
        key=_key("part"),
    )
    if chosen is None or (part is not None and chosen == part.name):
        return answers
    return replace(answers, part=chosen, begins_s=None)


def _ask_people(part: Part, video: LabelledVideo, answers: Answers) -> Answers:
    names = names_in(part)
    if not names:
        return answers
    st.markdown("**Who is who**")
    choices: list[Who] = [*video.person_ids, EVERYONE, AN_ACTION, LEFT_OUT]
    people = dict(answers.people)
    columns = st.columns(2)
    for number, (name, count) in enumerate(names.most_common(_MOST_NAMES)):
        who = who_is(name, answers)
        chosen = columns[number % 2].selectbox(
            f"{plain(name)} ({count})",
            choices,
            index=choices.index(who) if who in choices else None,
            format_func=_who,
            placeholder="Not scored until you choose",
            key=_key(f"who-{name}"),
        )
        if chosen is not None:
            people[name] = chosen
    if len(names) > _MOST_NAMES:
        st.caption(f"{len(names) - _MOST_NAMES} more names with fewer labels are not scored.")
    return replace(answers, people=people) if people != answers.people else answers


def _who(who: Who) -> str:
    words = {EVERYONE: "Everyone in view", AN_ACTION: "An action, of everyone in view", LEFT_OUT: "Leave out"}
    return f"Person {who}" if isinstance(who, int) else words[who]


def _ask_exclusive(truth: Truth, answers: Answers) -> Answers:
    if not truth.apart and answers.exclusive is None:
        return answers
    exclusive = sorted({row.action for row in truth.rows})
    chosen = st.multiselect(
        "Actions that exclude one another",
        sorted({row.action for row in truth.apart}.union(exclusive)),
        exclusive,
        key=_key("exclusive"),
        help="Some of your labels are of one person at the same time. Actions that exclude one another are scored "
        "together; each other action is scored apart.",
    )
    return answers if set(chosen) == set(exclusive) else replace(answers, exclusive=tuple(chosen))


def _ask_begin(part: Part, video: LabelledVideo, answers: Answers) -> Answers:
    begin_s = begin_of(part, video, answers)
    typed = st.text_input(
        "Labels begin at",
        "" if begin_s is None else f"{begin_s:.15g}",
        key=_key(f"begin-{part.name}"),
        help="The time on the labels' clock at which this video begins: seconds, hh:mm:ss, or a date with a time.",
    )
    if not typed.strip():
        return replace(answers, begins_s=None)
    value_s = time_in_s(typed)
    if value_s is None:
        st.error(sentence(f"'{typed[:40]}' is not a time; enter seconds, hh:mm:ss, or a date with a time."))
        return answers
    unchanged = begin_s is not None and abs(value_s - begin_s) < 1e-6
    return answers if unchanged else replace(answers, begins_s=value_s)
