"""Files that pages offer: for download, made when a browser fetches them, and to play."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar
from weakref import WeakValueDictionary

MOST_OF_A_TAB: Final = 64
"""A tab's oldest offers end when it has more; a page draws up to about 20, and one for each segment that is chosen."""

MOST_PLAYED_IN_A_TAB: Final = 8
"""A page has one player; these are the videos that its tab showed last."""


@dataclass(eq=False)
class Offer:
    """A file that a browser may fetch.

    Attributes:
        file_name: the file's name in the browser.
        mime: its type.
        make: returns its content, or the path of a file that exists; called on any thread, once per download.
        is_being_drawn: whether the page is being drawn, which may offer another content; called on the server's loop.
        token: identifies the offer in an address; cannot be guessed.
    """

    file_name: str
    mime: str
    make: Callable[[], str | bytes | Path]
    is_being_drawn: Callable[[], bool] = lambda: False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


@dataclass(eq=False, frozen=True)
class Played:
    """A file that a browser may play.

    Attributes:
        path: the file.
        token: identifies it in an address; cannot be guessed.
    """

    path: Path
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


Offered = TypeVar("Offered", Offer, Played)


class Offers(Generic[Offered]):
    """The offers of every tab on this server, by token. An offer ends with its tab."""

    def __init__(self) -> None:
        self._by_token: WeakValueDictionary[str, Offered] = WeakValueDictionary()

    def add(self, offer: Offered) -> None:
        """Make an offer available for as long as something else refers to it."""
        self._by_token[offer.token] = offer

    def get(self, token: str) -> Offered | None:
        """Return the offer with this token; None if its tab has closed, or there never was one."""
        return self._by_token.get(token)


class TabOffers:
    """The offers of one browser tab.

    A page that is drawn again offers the same files under the same addresses, made as its latest drawing says. A press
    of a button from an earlier drawing therefore still works.
    """

    def __init__(self) -> None:
        self._offers: OrderedDict[tuple[str, str], Offer] = OrderedDict()

    def renew(self, label: str, offer: Offer) -> Offer:
        """Return this tab's offer of this label and file name, which from now on is made like ``offer``."""
        kept = self._offers.setdefault((label, offer.file_name), offer)
        kept.mime, kept.make, kept.is_being_drawn = offer.mime, offer.make, offer.is_being_drawn
        self._offers.move_to_end((label, offer.file_name))
        if len(self._offers) > MOST_OF_A_TAB:
            self._offers.popitem(last=False)
        return kept


class TabPlayers:
    """The files that the players of one browser tab may play.

    A page that is drawn again plays a file from the same address: with another, the player would begin again.
    """

    def __init__(self) -> None:
        self._played: OrderedDict[Path, Played] = OrderedDict()

    def play(self, path: Path) -> Played:
        """Return this tab's offer of a file."""
        kept = self._played.setdefault(path, Played(path))
        self._played.move_to_end(path)
        if len(self._played) > MOST_PLAYED_IN_A_TAB:
            self._played.popitem(last=False)
        return kept
