"""A chart that stays: a new figure is drawn into the chart that is there, so that a zoom outlives the sliders.

``st.plotly_chart`` makes another chart of every other figure, and draws each twice.
"""

from __future__ import annotations

import json
from collections import Counter
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from zlib import crc32

import streamlit as st
from streamlit.components.v1 import declare_component

from recognizer.plots.config import NO_CLOUD
from recognizer.plots.layout import Figure

_CONFIG: Final = {
    **NO_CLOUD,
    "scrollZoom": False,
    "modeBarButtonsToRemove": [*NO_CLOUD["modeBarButtonsToRemove"], "lasso2d", "select2d"],
}
_PLOTLY_JS: Final = "plotly.min.js"

_HTML: Final = '<div class="recognizer-chart" role="img"></div>'

_JS: Final = """
const charts = new WeakMap();

// once a page, whichever chart asks first; Streamlit's own scripts lie two folders below the app's address
function load(path) {
    window.recognizerPlotly ??= new Promise((resolve, reject) => {
        const own = document.querySelector('script[src*="static/js/"]');
        const script = document.createElement('script');
        script.src = new URL(path, own ? new URL('../../', own.src) : document.baseURI).href;
        script.onload = () => resolve(window.Plotly);
        script.onerror = () => {
            script.remove();
            window.recognizerPlotly = null;
            reject(new Error('Plotly could not be loaded.'));
        };
        document.head.append(script);
    });
    return window.recognizerPlotly;
}

class Chart {
    constructor(div) {
        this.div = div;
        this.steps = Promise.resolve();
        this.widths = new ResizeObserver(() => this.draw());
        this.widths.observe(div);
    }

    show(text) {
        if (text === this.text) return;
        this.text = text;
        this.wanted = JSON.parse(text);
        this.div.setAttribute('aria-label', this.wanted.label);
        this.div.style.height = `${this.wanted.figure.layout.height}px`;
        this.draw();
    }

    draw() {
        this.steps = this.steps.then(() => this.step()).catch(error => {
            console.error(error);
            if (!this.plotly) this.div.textContent = `This chart cannot be shown: ${error.message}`;
        });
    }

    // what is not seen, in another tab, is drawn when it is
    async step() {
        const {wanted} = this;
        if (!wanted) return;
        const plotly = await load(wanted.library);
        const width = this.div.clientWidth;
        if (this.gone || !width || wanted !== this.wanted) return;
        if (!this.plotly) this.div.textContent = '';
        this.plotly = plotly;
        if (wanted !== this.drawn) {
            this.drawn = wanted;
            this.width = width;
            await plotly.react(this.div, wanted.figure.data, {...wanted.figure.layout, width}, wanted.config);
        } else if (width !== this.width) {
            this.width = width;
            await plotly.relayout(this.div, {width});
        }
    }

    end() {
        this.gone = true;
        this.widths.disconnect();
        charts.delete(this.div);
        this.plotly?.purge(this.div);
    }
}

export default function ({data, parentElement}) {
    const div = parentElement.querySelector('.recognizer-chart');
    if (!charts.has(div)) charts.set(div, new Chart(div));
    charts.get(div).show(new TextDecoder().decode(data));
    // also called for a figure that another one overtook; then the chart is still there
    return () => setTimeout(() => div.isConnected || charts.get(div)?.end());
}
"""

_draw = st.components.v2.component("recognizer_chart", html=_HTML, js=_JS, isolate_styles=False)


def show_chart(figure: Figure, key: str, label: str, *, mode_bar: bool = True) -> None:
    """Draw a figure as high as its layout says and as wide as there is room.

    Args:
        figure: may be changed here.
        key: the same for all figures that are drawn into one chart; another one begins without a zoom.
        label: what the chart shows, for those who do not see it.
        mode_bar: whether Plotly's buttons appear over it.
    """
    config = {**_CONFIG, **({} if mode_bar else {"displayModeBar": False})}
    library = _library()
    if library is None:
        st.plotly_chart(figure, theme=None, key=key, config=config)
        return
    _name_traces(figure)
    message = {"figure": figure, "config": config, "label": label, "library": library}
    text = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # bytes: text would be escaped, and once more to hash it
    _draw(data=text.encode(), key=key, height=figure["layout"]["height"])


def _library() -> str | None:
    """The address of Plotly's own plotly.js, below that of the app; None where Plotly came without it."""
    spec = find_spec("plotly")  # to import it takes a while, and its Python is not needed
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "package_data"
    if not (folder / _PLOTLY_JS).is_file():
        return None
    # the one way to serve files from where they are; there is nothing to draw in the folder
    served = declare_component("plotly", folder)
    return f"component/{served.name}/{_PLOTLY_JS}?{version('plotly')}"


def _name_traces(figure: Figure) -> None:
    """So that what the legend hid stays hidden, though another action is now the longest."""
    seen: Counter[str] = Counter()
    for trace in figure["data"]:
        name = f"{trace['type']} {trace.get('name')}"
        trace["uid"] = f"trace{crc32(name.encode())}n{seen[name]}"  # Plotly looks for it as a CSS class
        seen[name] += 1
