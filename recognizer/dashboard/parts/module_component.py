"""A component of the page whose JavaScript modules come from the server's own addresses (``workbench/routes.py``).

Its folder has a module ``js/main.js``, which exports ``mount(root, data, page)``: ``data`` is what the page gives to
the component, with ``api`` and ``app``, the app's address, made absolute; ``page`` tells Streamlit of values. ``mount``
returns a function that ends what it built.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import streamlit as st

from recognizer.dashboard.workbench.assets import modules_path

_DASHBOARD: Final = files("recognizer.dashboard")


class ModuleComponent:
    """A component, registered once.

    Args:
        folder: its folder in ``recognizer/dashboard``.
        shows: what it shows, for users: "The ... cannot be loaded".
        styles: its style sheets, relative to ``recognizer/dashboard``.
    """

    def __init__(self, folder: str, shows: str, *styles: str) -> None:
        self._folder = folder
        self._mount = st.components.v2.component(
            f"recognizer_{folder}",
            html=f'<div class="{folder.replace("_", "-")}" data-shows="{shows}"></div>',
            css="".join(_text(style) for style in styles),
            js=_text("parts/module_component.js"),
            isolate_styles=True,
        )

    def show(self, data: dict[str, Any], **options: Any) -> Any:
        """Draw it, and return what Streamlit knows of its values.

        Args:
            data: what ``mount`` gets; ``api`` is an address of the server's own, relative to the app's.
            options: Streamlit's, such as ``key``.
        """
        return self._mount(data={**data, "modules": modules_path(self._folder)}, **options)


def _text(path: str) -> str:
    return _DASHBOARD.joinpath(path).read_text("utf-8")
