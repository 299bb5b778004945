"""A page with nothing but a workbench, and its addresses on a server without Streamlit: open in a second.

The addresses, what answers them, and all of the JavaScript are the app's own.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from recognizer.analysis.passes import PassStore
from recognizer.dashboard import server
from recognizer.dashboard.workbench.assets import FOLDER, modules_path
from recognizer.dashboard.workbench.routes import routes
from recognizer.networks.cache import ModelCache
from recognizer.palette import ActionPalette
from recognizer.service.jobs import Jobs
from recognizer.service.store import AnalysisStore
from recognizer.service.tasks import ServerContext

_START_TIMEOUT_S = 30.0

HOST: Final = "document.querySelector('#bench')"
"""The element that has the workbench in its shadow."""

_LIGHT: Final = {"primary": "#0F6B66", "background": "#FCFAF6", "secondary-background": "#F1ECE2", "text": "#1D2A30"}
_DARK: Final = {"primary": "#0F827A", "background": "#0F1720", "secondary-background": "#1D2731", "text": "#E9E4DA"}

_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Workbench</title>
<link rel="icon" href="data:,">
<body style="margin: 0; padding: 16px; background: {background}"><div id="bench" style="{style}"></div>
<script type="module">
  import {{ mount }} from "/{modules}/main.js";
  const root = document.querySelector("#bench").attachShadow({{ mode: "open" }});
  root.innerHTML = {css} + '<div class="workbench"></div>';
  const view = {{ minConfidence: 0, minDurationS: 0, showsBrief: true, filter: null }};
  const page = {{ setStateValue() {{}}, setTriggerValue() {{}} }};
  mount(root.querySelector("div"), {{ api: location.origin + "/recognizer/{item}/", revision: 0, view }}, page);
</script></body></html>"""


@contextmanager
def workbench_server(store: AnalysisStore) -> Iterator[str]:
    """Serve a store's analyses during the ``with`` block; yield the address, to which the id of one is added."""
    with page_server(context_of(store), _page) as address:
        yield address


def context_of(store: AnalysisStore) -> ServerContext:
    """Return what a server shares that has this store."""
    return ServerContext(jobs=Jobs(), store=store, models=ModelCache(), pass_store=PassStore(store.folder / "crops"))


@contextmanager
def page_server(context: ServerContext, page: Callable[[Request], Awaitable[HTMLResponse]]) -> Iterator[str]:
    """Serve the app's addresses and a page during the ``with`` block; yield the page's address, which takes an id."""
    palette = ActionPalette()
    app = Starlette(routes=[*routes(), Route("/page/{item_id}", page)])
    own = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    with patch.object(server, "context", lambda: context), patch.object(server, "palette", lambda: palette):
        thread = threading.Thread(target=own.run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{_port(own)}/page/"
        finally:
            own.should_exit = True
            thread.join()


def _port(own: uvicorn.Server) -> int:
    end_s = time.monotonic() + _START_TIMEOUT_S
    while not own.started:
        assert time.monotonic() < end_s, "the server did not start"
        time.sleep(0.01)
    port: int = own.servers[0].sockets[0].getsockname()[1]
    return port


def theme_of(request: Request) -> tuple[str, str]:
    """Return the background and the app's variables, for a light page or a dark one."""
    colors = _DARK if "dark" in request.query_params else _LIGHT
    return colors["background"], "".join(f"--st-{name}-color: {color};" for name, color in colors.items())


async def _page(request: Request) -> HTMLResponse:
    background, style = theme_of(request)
    css = "".join(path.read_text("utf-8") for path in sorted(FOLDER.glob("*.css"), reverse=True))
    item = f"{request.query_params.get('kind', 'analysis')}/{request.path_params['item_id']}"
    page = _PAGE.format(
        background=background,
        style=style,
        modules=modules_path(),
        css=json.dumps(f"<style>{css}</style>"),
        item=item,
    )
    return HTMLResponse(page)
