"""What everyone on this server shares, made once."""

from __future__ import annotations

import streamlit as st

from recognizer import weights
from recognizer.analysis.passes import PassStore
from recognizer.memory import exempt_from_collection
from recognizer.networks.cache import ModelCache
from recognizer.networks.fallback import UsableClassifier
from recognizer.palette import ActionPalette
from recognizer.service.jobs import Job, Jobs
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import ServerContext, get_ready


@st.cache_resource(show_spinner=False)
def context() -> ServerContext:
    """The jobs, the database, the networks and the crops of this server."""
    exempt_from_collection()
    crops = weights.cache_dir().parent / "crops"
    return ServerContext(jobs=Jobs(), store=AnalysisStore(), models=ModelCache(), pass_store=PassStore(crops))


def max_upload_bytes() -> int:
    """Return the size of the largest file that Streamlit accepts; its option is in MiB."""
    return int(st.get_option("server.maxUploadSize")) * 1024 * 1024


@st.cache_resource(show_spinner=False)
def palette() -> ActionPalette:
    """The colours of the actions, the same on every page and after a restart."""
    return ActionPalette(context().store.action_slots())


def keep_colours() -> None:
    """Write down the colours that were given since the last time."""
    store, slots = context().store, palette().slots
    if slots.keys() - store.action_slots().keys():
        store.save_action_slots(slots)


@st.cache_resource(show_spinner=False)
def readiness() -> Job[UsableClassifier]:
    """The job that gets the default networks ready; begun by the first visit."""
    return context().jobs.start(get_ready)


def try_again_to_get_ready() -> None:
    """Forget a failed attempt, so that the next look begins another."""
    readiness.clear()
