"""Objects that everyone on this server shares; each is made once."""

from __future__ import annotations

import logging
import math

import streamlit as st

from recognizer import weights
from recognizer.analysis.passes import PassStore
from recognizer.errors import SettingsError, StoreError
from recognizer.limits import limits
from recognizer.memory import collect_rarely, exempt_from_collection
from recognizer.networks.cache import ModelCache
from recognizer.networks.fallback import UsableClassifier
from recognizer.palette import ActionPalette
from recognizer.service.jobs import Job, Jobs
from recognizer.service.library import Library
from recognizer.service.offers import Offer, Offers, Played
from recognizer.service.recovery import Recovery
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import ServerContext, get_ready

_log = logging.getLogger(__name__)

NETWORKS_GIVE_WAY_BY = 5
"""Steps of niceness of the networks' threads: pages and cameras' pictures take less and cannot wait. With more, labels
starve beside other programs (docs/decisions/107-long-work-gives-way.md)."""

_BYTES_PER_MIB = 1024 * 1024
"""Streamlit's unit of ``server.maxUploadSize``."""


@st.cache_resource(show_spinner=False)
def context() -> ServerContext:
    """Return this server's jobs, database, networks and passes."""
    collect_rarely()
    exempt_from_collection()
    crops = weights.cache_dir().parent / "crops"
    models = ModelCache(give_way_by=NETWORKS_GIVE_WAY_BY)
    return ServerContext(jobs=Jobs(), store=AnalysisStore(), models=models, pass_store=PassStore(crops))


def recovery() -> Recovery | None:
    """Go on with what another server left behind; None if the data cannot be used, as the page then says."""
    try:
        found = Recovery(context())
    except StoreError as error:
        _log.warning("runs cannot be looked after: %s", error)
        return None
    found.start()
    return found


@st.cache_resource(show_spinner=False)
def palette() -> ActionPalette:
    """Return the colours of the actions; they are the same on every page and after a restart."""
    try:
        slots = context().store.action_slots()
    except StoreError as error:  # results are worth more than the colours that they had before
        _log.warning("the colours of actions cannot be read: %s", error)
        slots = {}
    return ActionPalette(slots)


def save_colours() -> None:
    """Save the colours that were assigned since the last call; those that cannot be saved now wait for the next."""
    store, slots = context().store, palette().slots
    try:
        if slots.keys() - store.action_slots().keys():
            store.save_action_slots(slots)
    except StoreError as error:
        _log.info("the colours of new actions are not saved: %s", error)  # the database has logged the fault, once


@st.cache_resource(show_spinner=False)
def readiness() -> Job[UsableClassifier]:
    """Return the job that makes the default networks available; the first visit starts it."""
    return context().jobs.start(get_ready)


def retry_readiness() -> None:
    """Forget a failed attempt; the next call of ``readiness`` starts another."""
    readiness.clear()


@st.cache_resource(show_spinner=False)
def offers() -> Offers[Offer]:
    """Return the files that the tabs of this server offer for download."""
    return Offers()


@st.cache_resource(show_spinner=False)
def played() -> Offers[Played]:
    """Return the files that the tabs of this server may play."""
    return Offers()


def check_limits() -> None:
    """Read the operator's limits; call this when the server starts.

    Raises:
        SystemExit: they cannot be read; the process then ends with a sentence.
    """
    try:
        limits()
    except SettingsError as error:
        raise SystemExit(f"error: {error}") from error


@st.cache_resource(show_spinner=False)
def library() -> Library:
    """Return the list of everything that was analysed."""
    return Library(context())


def base_path() -> str:
    """Return the configured base of the app's addresses, without slashes at its ends."""
    return (st.get_option("server.baseUrlPath") or "").strip("/")


def max_upload_bytes() -> int:
    """Return the largest video that this server accepts."""
    return min(limits().max_upload_bytes, int(st.get_option("server.maxUploadSize")) * _BYTES_PER_MIB)


def upload_limit_mib(most_bytes: int | None = None) -> int:
    """Return what an upload field says it takes, in Streamlit's unit; the browser refuses more before it is sent.

    Args:
        most_bytes: the largest file that the field's reader accepts; None for a video.
    """
    most = max_upload_bytes() if most_bytes is None else min(most_bytes, max_upload_bytes())
    return max(1, math.ceil(most / _BYTES_PER_MIB))
