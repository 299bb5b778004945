"""The page "My actions", run by Streamlit's AppTest: which set it shows, and what reaches the browser."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from recognizer.dashboard import server
from recognizer.dashboard.workbench.assets import modules_path
from recognizer.service.own_actions import OwnActions
from tests.support.action_sets import action_set
from tests.support.networks import Networks
from tests.support.pages import button, downloads, has_button, open_page, tab, uploader, widget, words

pytestmark = pytest.mark.slow

PAGE = "pages/my_actions.py"


@pytest.fixture
def own(networks: Networks) -> OwnActions:
    """The server's own actions; the page needs no network."""
    return server.context().own_actions


def shown(at: AppTest) -> list[dict[str, Any]]:
    """Return what the page's actions were mounted with, in a list that is empty if there are none."""
    protos = [one.proto for one in at.get("bidi_component")]
    return [json.loads(one.json) for one in protos if one.component_name == "recognizer_own_actions"]


def remembered(at: AppTest) -> str | None:
    """Return the set that the browser is asked to remember."""
    protos = [json.loads(one.proto.json) for one in at.get("bidi_component") if "history" in one.proto.component_name]
    named: list[str | None] = [one["named"] for one in protos if one["kind"] == "sets"]
    assert len(named) == 1
    return named[0]


def forgotten(at: AppTest) -> list[str]:
    """Return the sets that the browser is asked to forget."""
    protos = [json.loads(one.proto.json) for one in at.get("bidi_component") if "history" in one.proto.component_name]
    (found,) = [one["forgotten"] for one in protos if one["kind"] == "sets"]
    return list(found)


def address(at: AppTest) -> str:
    """Return the set in the page's address."""
    named = at.query_params["actions"]
    return named if isinstance(named, str) else named[0]


def with_own_sets(at: AppTest, *set_ids: str) -> AppTest:
    """Run the page again after the browser said which sets are its own."""
    tab(at).history.own["sets"] = list(set_ids)
    at.run()
    assert not at.exception
    return at


def test_newcomer_sees_how_to_begin_and_a_way_to_the_first_step(own: OwnActions) -> None:
    at = open_page(PAGE)
    for step in ("1. Analyse a video", "2. Mark a moment", "3. Mark a few more"):
        assert step in words(at)
    assert shown(at) == []
    assert remembered(at) is None
    assert [one.proto.page for one in at.get("page_link")] == [""], "the app's first page"


def test_new_set_is_in_the_address_and_in_the_browsers_memory(own: OwnActions) -> None:
    at = open_page(PAGE)
    button(at, "New set").click().run()
    (data,) = shown(at)
    set_id = address(at)
    assert data == {"api": f"recognizer/actions/{set_id}/", "modules": modules_path("own_actions"), "revision": 1}
    assert remembered(at) == set_id
    assert widget(at, "Set of actions").options == ["My actions (empty)"]
    button(with_own_sets(at, set_id), "New set").click().run()
    with_own_sets(at, set_id, address(at))
    assert widget(at, "Set of actions").options == ["My actions 2 (empty)", "My actions (empty)"]


def test_browser_gets_its_latest_set_back_and_can_change_to_another(own: OwnActions) -> None:
    first, second = own.create("Gym"), own.create("Office")
    own.add_action(first, "lifting")
    at = with_own_sets(open_page(PAGE), first, second)
    assert address(at) == second
    assert widget(at, "Set of actions").options == ["Office (empty)", "Gym (1 action, 0 moments)"]
    widget(at, "Set of actions").select_index(1).run()
    assert address(at) == first
    assert shown(at)[0]["api"] == f"recognizer/actions/{first}/"


def test_set_in_the_address_is_shown_even_if_another_browser_made_it(own: OwnActions) -> None:
    set_id = own.create("Gym")
    at = open_page(PAGE, actions=set_id)
    assert shown(at)[0]["api"] == f"recognizer/actions/{set_id}/"
    gone = open_page(PAGE, actions="gone")
    assert "not on this machine" in words(gone)
    assert shown(gone) == []


def test_set_of_another_version_is_listed_and_says_why_it_is_not_shown(own: OwnActions) -> None:
    set_id = own.create("Gym")
    older = action_set("walk")
    odd = [replace(one, posture=one.posture[:-1]) for one in older.examples]
    own.sets.change(
        set_id, "fill", lambda before: replace(older, set_id=before.set_id, title="Gym", examples=tuple(odd))
    )
    at = open_page(PAGE, actions=set_id)
    assert shown(at) == []
    assert "The examples of 'Gym' were marked with another version of this program" in words(at)
    assert widget(at, "Set of actions").options == ["Gym (1 action, 4 moments)"]
    button(at, "New set").click().run()
    assert "another version" not in words(at)
    assert len(shown(at)) == 1


def test_set_is_taken_off_the_browsers_list_and_comes_back(own: OwnActions) -> None:
    first, second = own.create("Gym"), own.create("Junk")
    at = with_own_sets(open_page(PAGE), first, second)
    button(at, "Remove from my list").click().run()
    assert address(at) == first
    assert widget(at, "Set of actions").options == ["Gym (empty)"]
    assert forgotten(at) == [second]
    assert own.load(second) is not None  # shared addresses and analyses still need it
    assert "**Junk** is no longer on this browser's list" in words(at)
    button(at, "Undo").click().run()
    assert address(at) == second
    assert forgotten(at) == []
    for _ in range(2):
        button(at, "Remove from my list").click().run()
    assert shown(at) == []
    assert forgotten(at) == [second, first]
    assert not has_button(at, "Remove from my list")


def test_set_whose_id_has_two_underscores_is_shown(own: OwnActions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_urlsafe", lambda _size: "a__b_-c")
    at = open_page(PAGE, actions=own.create("Gym"))
    assert shown(at)[0]["api"] == "recognizer/actions/a__b_-c/"


def test_title_is_stored_and_a_refused_one_says_why(own: OwnActions) -> None:
    set_id = own.create("Gym")
    at = open_page(PAGE, actions=set_id)
    widget(at, "Title of the set").input("Home").run()
    assert widget(at, "Set of actions").options == ["Home (empty)"]
    widget(at, "Title of the set").input("  ").run()
    assert "is empty" in words(at)
    loaded = own.load(set_id)
    assert loaded is not None
    assert loaded.title == "Home"


def test_browser_reads_again_what_another_tab_changed(own: OwnActions) -> None:
    set_id = own.create("Gym")
    at = open_page(PAGE, actions=set_id)
    before = shown(at)[0]["revision"]
    own.add_action(set_id, "lifting")
    assert shown(at.run())[0]["revision"] > before


def import_file(at: AppTest, name: str, content: bytes) -> AppTest:
    uploader(at, "A file of actions").upload(name, content, "application/octet-stream")
    at.run()
    assert not at.exception
    return at


def test_set_is_given_away_as_a_file_and_begins_another_set(own: OwnActions) -> None:
    set_id = own.create("Gym")
    own.add_action(set_id, "lifting")
    own.recolor(set_id, "lifting", 5)
    at = open_page(PAGE, actions=set_id)
    assert downloads(at) == ["Without pictures", "With pictures"]
    assert "show the people in your videos" in words(at)
    import_file(at, "gym.actions", own.export(set_id))
    assert address(at) != set_id
    copy = own.load(address(at))
    assert copy is not None
    assert (copy.title, copy.names) == ("Gym", ("lifting",))
    assert server.palette().style("lifting").slot == 5


def test_file_adds_its_actions_to_the_set_that_is_shown(own: OwnActions) -> None:
    theirs, ours = own.create("Gym"), own.create("Office")
    own.add_action(theirs, "lifting")
    own.add_action(ours, "typing")
    at = open_page(PAGE, actions=ours)
    (way,) = at.radio
    way.set_value("more examples for “Office”").run()
    import_file(at, "gym.actions", own.export(theirs))
    assert address(at) == ours
    assert [one.value for one in at.success] == ["The file has no new examples."]
    at.run()  # as when the page's component sends something
    assert [one.value for one in at.success] == ["The file has no new examples."], "nobody has read it yet"
    merged = own.load(ours)
    assert merged is not None
    assert merged.names == ("typing", "lifting")


def test_file_that_is_no_set_says_so(own: OwnActions) -> None:
    at = import_file(open_page(PAGE), "notes.actions", b"hello")
    assert "notes.actions" in words(at)
    assert shown(at) == []
