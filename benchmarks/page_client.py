"""Somebody who uses the app without a browser: the page's own protocol, spoken by a client that costs almost nothing.

A browser that draws without a graphics card takes more of a small machine than the server that is to be measured. This
client opens the same WebSocket, keeps the page's elements, runs fragments on their timers, uploads files and moves
widgets, as the frontend of Streamlit 1.67 does (``streamlit.proto``); it draws nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import aiohttp
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileURLs, FileURLsResponse
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

_XSRF: Final = "_streamlit_xsrf"

_DRAWN_WHOLE: Final = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)

Place = tuple[int, ...]
_Socket = aiohttp.ClientWebSocketResponse


class _Drawn(NamedTuple):
    element: Element
    run_id: str
    fragment_id: str


class Tree:
    """The elements of a page, by their place.

    Attributes:
        is_whole: whether no run of the whole page is under way.
    """

    def __init__(self) -> None:
        self.is_whole = False
        self._drawn: dict[Place, _Drawn] = {}

    def take(self, message: ForwardMsg, run_id: str) -> None:
        """Take a change of the page that a run makes."""
        delta = message.delta
        if delta.WhichOneof("type") == "new_element":
            self._drawn[tuple(message.metadata.delta_path)] = _Drawn(delta.new_element, run_id, delta.fragment_id)

    def remove_older(self, run_id: str, fragment_ids: Collection[str] = ()) -> None:
        """Remove what a run has not drawn again; with fragments, only of these."""
        self._drawn = {
            place: one
            for place, one in self._drawn.items()
            if one.run_id == run_id or (fragment_ids and one.fragment_id not in fragment_ids)
        }

    def of(self, kind: str) -> Iterator[Any]:
        """Yield the elements of a kind, such as ``button``."""
        for one in self._drawn.values():
            if one.element.WhichOneof("type") == kind:
                yield getattr(one.element, kind)

    def first(self, kind: str, fits: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the first element of a kind that fits.

        Raises:
            LookupError: there is none.
        """
        for one in self.of(kind):
            if fits(one):
                return one
        raise LookupError(f"the page has no such {kind}.")

    def text(self) -> str:
        """Return what the page says, in a line each."""
        return "\n".join(one.body for one in self.of("markdown"))

    def says(self, text: str) -> bool:
        """Return whether a text stands on the page."""
        return text in self.text()

    def has_button(self, label: str) -> bool:
        """Return whether a button with this label can be pressed."""
        return any(one.label == label and not one.disabled for one in self.of("button"))

    def shows(self, component: str) -> bool:
        """Return whether a component is on the page."""
        return any(component in one.component_name for one in self.of("bidi_component"))


class Visitor:
    """Somebody with the app open, made by ``arrives``.

    Attributes:
        tree: what the page shows.
        query: the page's address behind the question mark.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, page: str, socket: _Socket) -> None:
        self.tree, self.query = Tree(), ""
        self._http, self._url, self._page, self._socket = http, url, page, socket
        self._session_id = self._run_id = self._page_hash = ""
        self._states: dict[str, WidgetState] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._urls: dict[str, asyncio.Future[FileURLsResponse]] = {}
        self._changed = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    @asynccontextmanager
    async def arrives(cls, url: str, page: str = "") -> AsyncIterator[Visitor]:
        """Open a page, which is drawn soon after; leave it after the ``with`` block."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            for path in (f"/{page}", "/_stcore/health"):  # they set the visitor's cookie and the one against forgery
                async with http.get(url + path, headers={"Accept": "text/html"}) as answer:
                    answer.raise_for_status()
            protocols = ("streamlit", _token(http))
            async with http.ws_connect(
                f"{url}/_stcore/stream", origin=url, protocols=protocols, max_msg_size=0
            ) as socket:
                visitor = cls(http, url, page, socket)
                await visitor._run()
                try:
                    yield visitor
                finally:
                    visitor._leave()

    def _leave(self) -> None:
        self._reading.cancel()
        self._stop_timers()

    async def until(self, holds: Callable[[Tree], object], within_s: float) -> None:
        """Wait until something holds for the page.

        Raises:
            TimeoutError: it did not in time; the message ends with what the page said.
            ConnectionError: the server closed the connection.
        """
        try:
            async with asyncio.timeout(within_s):
                while not holds(self.tree):
                    if self._reading.done():
                        raise ConnectionError("the server closed the page's connection.")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError as error:
            raise TimeoutError(
                f"the page is not as expected after {within_s:.0f} s: {self.tree.text()[-200:]}"
            ) from error

    async def get(self, path: str) -> bytes:
        """Fetch something of the app's own addresses."""
        async with self._http.get(f"{self._url}/{path}") as answer:
            answer.raise_for_status()
            return await answer.read()

    async def press(self, label: str) -> None:
        """Press a button.

        Raises:
            LookupError: there is none, or it is disabled.
        """
        button = self.tree.first("button", lambda one: one.label == label and not one.disabled)
        await self._run(WidgetState(id=button.id, trigger_value=True))

    async def choose(self, label: str, option: str) -> None:
        """Choose an option of a row of buttons.

        Raises:
            LookupError: there is no such row.
        """
        group = self.tree.first("button_group", lambda one: one.label == label)
        state = WidgetState(id=group.id)
        state.string_array_value.data.append(option)
        await self.move(state)

    async def move(self, state: WidgetState) -> None:
        """Give a widget a value."""
        self._states[state.id] = state
        await self._run()

    async def upload(self, name: str, content: bytes) -> None:
        """Drop a file into the page's field.

        Raises:
            LookupError: there is none.
        """
        field = self.tree.first("file_uploader")
        urls = await self._upload_urls(name)
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name)
        headers = {"X-Xsrftoken": _token(self._http)}
        async with self._http.put(self._url + urls.upload_url, data=form, headers=headers) as answer:
            answer.raise_for_status()
        state = WidgetState(id=field.id)
        state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(content), file_id=urls.file_id, file_urls=urls
        )
        await self.move(state)

    async def _upload_urls(self, name: str) -> FileURLs:
        asked = BackMsg()
        asked.file_urls_request.request_id = secrets.token_hex(8)
        asked.file_urls_request.file_names.append(name)
        asked.file_urls_request.session_id = self._session_id
        answer = self._urls[asked.file_urls_request.request_id] = asyncio.get_running_loop().create_future()
        await self._socket.send_bytes(asked.SerializeToString())
        urls: FileURLs = (await answer).file_urls[0]
        return urls

    async def _run(self, pressed: WidgetState | None = None, fragment_id: str = "") -> None:
        """Have the server run the page, or a fragment of it."""
        client = ClientState(query_string=self.query, fragment_id=fragment_id, is_auto_rerun=bool(fragment_id))
        if self._page_hash:
            client.page_script_hash = self._page_hash
        else:
            client.page_name = self._page  # only at first: the server then says which page that is
        client.widget_states.widgets.extend([*self._states.values(), *([pressed] if pressed else [])])
        client.context_info.url = f"{self._url}/{self._page}"
        await self._socket.send_bytes(BackMsg(rerun_script=client).SerializeToString())

    async def _read(self) -> None:
        async for received in self._socket:
            message = ForwardMsg.FromString(received.data)
            self._take(message)
            self._changed.set()
        self._changed.set()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta":
            self.tree.take(message, self._run_id)
        elif kind == "new_session":
            self._session_id = message.new_session.initialize.session_id
            self._run_id = message.metadata.run.script_run_id
            if not message.metadata.run.fragment_ids:
                self.tree.is_whole = False
                self._stop_timers()
        elif kind == "script_finished" and message.script_finished in _DRAWN_WHOLE:
            run = message.metadata.run
            self.tree.remove_older(run.script_run_id, run.fragment_ids)
            self.tree.is_whole = self.tree.is_whole or not run.fragment_ids
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment_id in message.stop_auto_rerun.fragment_ids:
                self._timers.pop(fragment_id).cancel()
        elif kind == "file_urls_response":
            self._urls.pop(message.file_urls_response.response_id).set_result(message.file_urls_response)

    def _start_timer(self, fragment_id: str, every_s: float) -> None:
        async def again() -> None:
            while True:
                await asyncio.sleep(every_s)
                await self._run(fragment_id=fragment_id)

        if fragment_id not in self._timers:
            self._timers[fragment_id] = asyncio.create_task(again())

    def _stop_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


def _token(http: aiohttp.ClientSession) -> str:
    return next(one.value for one in http.cookie_jar if one.key == _XSRF)
