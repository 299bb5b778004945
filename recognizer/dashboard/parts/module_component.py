"""A component of the page whose JavaScript modules come from the server's own addresses (``workbench/routes.py``).

Its folder has a module ``js/main.js``, which exports ``mount(root, data, page)``: ``data`` is what the page gives to
the component, with ``api`` and ``app``, the app's address, made absolute; ``page`` tells Streamlit of values. ``mount``
returns a function that ends what it built.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from recognizer.dashboard.parts import component_files
from recognizer.dashboard.workbench.assets import modules_path


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
            css="".join(component_files.text(style) for style in styles),
            js=component_files.script("parts/module_component.js"),
            isolate_styles=True,
        )

    def show(self, data: dict[str, Any], **options: Any) -> Any:
        """Draw it, and return what Streamlit knows of its values.

        Args:
            data: what ``mount`` gets; ``api`` is an address of the server's own, relative to the app's.
            options: Streamlit's, such as ``key``.
        """
        return self._mount(data={**data, "modules": modules_path(self._folder)}, **options)
