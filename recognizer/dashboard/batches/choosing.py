"""The list of batches, of which one is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import streamlit as st

from recognizer.batch.places import Batch, batches_dir
from recognizer.batch.watching import is_at_work
from recognizer.dashboard import guard
from recognizer.dashboard.address import BATCH
from recognizer.dashboard.batches.known import ONLY_OPERATORS, known_batches, may_see, progress_of
from recognizer.dashboard.batches.words import state_of
from recognizer.dashboard.text import for_visitors, plain, sentence
from recognizer.errors import StoreError
from recognizer.limits import limits
from recognizer.processes import typed

if TYPE_CHECKING:
    import pandas as pd

_EVERY_S: Final = 5.0
_COMMAND: Final = "batch recordings/ --preset recommended"


def choose_batch() -> Batch | None:
    """Draw the list of batches, and return the one to show; None if there is none, or this visitor may not see it."""
    if not may_see():
        st.info(sentence(ONLY_OPERATORS), icon=":material/lock:")
        return None
    batches = known_batches()
    if not batches:
        _show_beginning()
        return None
    chosen = _chosen(batches)
    if len(batches) > 1:
        _show_list([batch.batch_id for batch in batches], batches.index(chosen))
    return chosen


def _chosen(batches: list[Batch]) -> Batch:
    named = BATCH.named()
    chosen = next((batch for batch in batches if batch.batch_id == named), None)
    if named is not None and chosen is None:
        st.error(sentence(BATCH.missing), icon=":material/error:")
    return chosen or batches[0]


@guard.fragment(run_every=_EVERY_S)
def _show_list(drawn: list[str], row: int) -> None:
    """Draw the list; run the whole page again when another batch is chosen, or there are others.

    Args:
        drawn: the ids of the batches, in the order in which the page drew them: rows must not move.
        row: that of the batch that is shown.
    """
    by_id = {batch.batch_id: batch for batch in known_batches()}
    if by_id.keys() != set(drawn):
        st.rerun()
    listed = [by_id[batch_id] for batch_id in drawn]
    shown = st.dataframe(
        _table(listed),
        hide_index=True,
        width="stretch",
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [row]}},
        key=f"batches-{' '.join(drawn)}",  # in another order, a row is another batch
        column_config={
            "Done": st.column_config.ProgressColumn(format="%.0f %%", min_value=0.0, max_value=100.0),
            "Hours": st.column_config.NumberColumn(help="Hours of video that are done.", format="%.2f"),
        },
    )
    chosen = shown["selection"]["rows"]
    if chosen and chosen[0] != row:
        BATCH.name(drawn[chosen[0]])
        st.rerun()


def _table(batches: list[Batch]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([_row(batch) for batch in batches])


def _row(batch: Batch) -> dict[str, str | int | float | None]:
    try:
        progress = progress_of(batch)
    except StoreError as error:
        return {"Batch": batch.name, "State": for_visitors(str(error))}
    return {
        "Batch": batch.name,
        "State": state_of(progress, is_working=is_at_work(batch.folder)),
        "Done": 100 * progress.done / progress.total if progress.total else None,
        "Videos": progress.total,
        "Failed": progress.failed,
        "Waiting": progress.waiting,
        "Hours": progress.done_s / 3600,
    }


def _show_beginning() -> None:
    st.markdown(
        "A batch is any number of videos that one command analyses, on every core of this machine or on many machines. "
        "Whatever ends the command, the same command goes on, and its results appear here."
    )
    st.code(typed(_COMMAND), language="bash", wrap_lines=True)
    if limits().alone:
        st.caption(
            f"Batches are looked for in {plain(str(batches_dir()))}; docs/scale.md says what else the command can."
        )
    else:
        st.caption("The command runs on this server; docs/scale.md says what else it can.")
