"""Store a user's own labels with the comparison on the page."""

from __future__ import annotations

from dataclasses import replace

from recognizer.annotations.model import Answers, LabelFile
from recognizer.dashboard import server, state
from recognizer.dashboard.parts.visitor import may_correct
from recognizer.service.comparisons import StoredComparison


def save_labels(shown: StoredComparison, labels: LabelFile | None, data: bytes | None) -> None:
    """Store labels with a comparison, byte for byte, without answers; None removes them."""
    compare = state.tab().compare
    # another number empties the field when it is drawn again, and gives the questions new answers
    compare.truth_uploads += 1
    if may_correct(shown.comparison_id):
        server.context().comparisons.save_truth(shown.comparison_id, None if labels is None else labels.name, data)
    else:
        state.tab().hint = "Your labels stay in this tab: only who made the comparison, or an operator, can store some."
    compare.shown = replace(shown, labels=labels, answers=Answers())
