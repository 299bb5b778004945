"""A page with nothing but the actions of a set, and its addresses on a server without Streamlit: open in a second.

The addresses, what answers them, and all of the JavaScript are the app's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse

from recognizer.dashboard.workbench.assets import FOLDER, modules_path
from recognizer.service.tasks import ServerContext
from tests.support.workbench_page import page_server, theme_of

_CSS: Final = ("workbench/workbench.css", "workbench/editing.css", "own_actions/own_actions.css")

_PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>My actions</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<body style="margin: 0; padding: 16px; background: {background}"><div id="own" style="{style}"></div>
<script type="module">
  import {{ mount }} from "/{modules}/main.js";
  const root = document.querySelector("#own").attachShadow({{ mode: "open" }});
  root.innerHTML = {css} + '<div class="own-actions"></div>';
  mount(root.querySelector("div"), {{ api: location.origin + "/recognizer/actions/{set_id}/", revision: 0 }});
</script></body></html>"""


@contextmanager
def own_actions_server(context: ServerContext) -> Iterator[str]:
    """Serve the sets of a context during the ``with`` block; yield the address, to which a set's id is added."""
    with page_server(context, _page) as address:
        yield address


async def _page(request: Request) -> HTMLResponse:
    background, style = theme_of(request)
    css = "".join((FOLDER.parent / name).read_text("utf-8") for name in _CSS)
    page = _PAGE.format(
        background=background,
        style=style,
        modules=modules_path("own_actions"),
        css=json.dumps(f"<style>{css}</style>"),
        set_id=request.path_params["item_id"],
    )
    return HTMLResponse(page)
