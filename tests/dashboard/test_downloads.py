"""A download button's file is made when it is pressed, whatever the page does meanwhile."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from recognizer.dashboard import server
from recognizer.dashboard.parts import download_route as download_route_module
from recognizer.dashboard.parts.download_route import GONE, download_route
from recognizer.errors import OutputError
from recognizer.service.offers import MOST_OF_A_TAB, Offer, Offers, TabOffers


class Browsers:
    """A server with one tab's offers, and requests to it."""

    def __init__(self, client: TestClient, offers: Offers[Offer]) -> None:
        self.client, self._offers = client, offers
        self.tab = TabOffers()

    def draw(
        self,
        label: str,
        make: Callable[[], str | bytes | Path],
        name: str = "a.csv",
        is_being_drawn: Callable[[], bool] = lambda: False,
    ) -> str:
        """Draw a button; return the address that a press asks for."""
        offer = self.tab.renew(label, Offer(name, "text/csv", make, is_being_drawn))
        self._offers.add(offer)
        return f"/recognizer/download/{offer.token}/{name}"


@pytest.fixture
def browsers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browsers]:
    offers: Offers[Offer] = Offers()
    monkeypatch.setattr(server, "offers", lambda: offers)
    monkeypatch.setattr(download_route_module, "_COMES_S", 0.0)  # nothing comes over another connection
    with TestClient(
        Starlette(routes=[download_route("/recognizer/download")]), raise_server_exceptions=False
    ) as client:
        yield Browsers(client, offers)


def test_file_is_made_at_each_press_and_not_before(browsers: Browsers) -> None:
    made: list[str] = []

    def make() -> str:
        made.append("once")
        return f"{len(made)}\n"

    address = browsers.draw("CSV", make)
    assert made == []
    assert [browsers.client.get(address).text for _ in range(2)] == ["1\n", "2\n"]


def test_button_of_an_earlier_drawing_gives_the_file_of_the_latest(browsers: Browsers) -> None:
    """Regression: Streamlit renumbered the file with every run, and the browser asked for the old number in vain."""
    shown = browsers.draw("CSV", lambda: "before\n")
    for _ in range(200):  # a slider moves, other people's pages are drawn
        browsers.draw("CSV", lambda: "after\n")
    gc.collect()
    answer = browsers.client.get(shown)
    assert (answer.status_code, answer.text) == (200, "after\n")


def test_file_is_that_of_the_drawing_that_came_with_the_press(browsers: Browsers) -> None:
    """Regression: a field that was left by the press of a button counted for the next one."""
    looks = iter([True, True])

    def is_being_drawn() -> bool:
        if next(looks, False):
            return True
        browsers.draw("CSV", lambda: "with the field\n")
        return False

    assert (
        browsers.client.get(browsers.draw("CSV", lambda: "without\n", "a.csv", is_being_drawn)).text
        == "with the field\n"
    )


def test_page_that_is_drawn_for_long_does_not_hold_up_what_it_offered(
    browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recognizer.dashboard.parts.download_route._LONGEST_S", 0.1)
    assert browsers.client.get(browsers.draw("CSV", lambda: "1\n", "a.csv", lambda: True)).text == "1\n"


def test_file_has_its_name_and_type_and_is_never_shown_or_cached(browsers: Browsers) -> None:
    address = browsers.draw("CSV", lambda: "ä", 'Übung "2"; 日.csv')
    answer = browsers.client.get(address)
    assert answer.text == "ä"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    name = "%C3%9Cbung%20%222%22%3B%20%E6%97%A5.csv"
    assert answer.headers["content-disposition"] == f"attachment; filename*=utf-8''{name}"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_file_that_exists_is_streamed_from_the_disk(browsers: Browsers, tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    video.write_bytes(bytes(range(256)) * 1000)
    address = browsers.draw("Video", lambda: video, "Übung.mp4")
    answer = browsers.client.get(address, headers={"range": "bytes=256-258"})
    assert (answer.status_code, answer.content) == (206, b"\x00\x01\x02")
    assert answer.headers["content-disposition"] == "attachment; filename*=utf-8''%C3%9Cbung.mp4"
    assert len(browsers.client.get(address).content) == 256_000


def test_problem_is_its_sentence_and_a_bug_is_an_error(browsers: Browsers, faults: list[logging.LogRecord]) -> None:
    def problem() -> str:
        raise OutputError("'a.mp4' has gone; analyse it again.")

    def bug() -> str:
        raise ZeroDivisionError

    answer = browsers.client.get(browsers.draw("CSV", problem))
    assert (answer.status_code, answer.json()) == (422, {"problem": "'a.mp4' has gone; analyse it again."})
    answer = browsers.client.get(browsers.draw("CSV", bug))
    assert answer.status_code == 500
    assert "logged as" in answer.json()["problem"]
    assert len(faults) == 1

    gone = browsers.client.get(browsers.draw("Video", lambda: Path("/nowhere/gone.mp4")))
    assert (gone.status_code, gone.json()["problem"][:8]) == (422, "'a.csv' ")


def test_offer_ends_with_its_tab_and_cannot_be_guessed(browsers: Browsers) -> None:
    address = browsers.draw("CSV", lambda: "a,b\n")
    other = browsers.client.get("/recognizer/download/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/a.csv")
    assert (other.status_code, other.json()) == (404, {"problem": GONE})
    assert len(address.split("/")[3]) >= 32
    browsers.tab = TabOffers()
    gc.collect()
    assert browsers.client.get(address).status_code == 404


def test_a_tab_has_a_bounded_number_of_offers(browsers: Browsers) -> None:
    addresses = [browsers.draw("Segment", lambda: "x", f"{k}.mp4") for k in range(MOST_OF_A_TAB + 5)]
    found = [browsers.client.get(address).status_code for address in addresses]
    assert found == [404] * 5 + [200] * MOST_OF_A_TAB
