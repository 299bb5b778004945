"""A chart that stays: a new figure is drawn into the chart that is there, so that a zoom outlives the sliders.

``st.plotly_chart`` makes another chart of every other figure, and draws each twice. A chart of time can follow the
page's player: a line stands at the moment that is played, and a click takes the player to another.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from zlib import crc32

import streamlit as st

from recognizer.dashboard.streamlit_private import serve_folder
from recognizer.plots.config import NO_CLOUD
from recognizer.plots.layout import Figure
from recognizer.types import VideoInfo

_CONFIG: Final = {
    **NO_CLOUD,
    "scrollZoom": False,
    "modeBarButtonsToRemove": [*NO_CLOUD["modeBarButtonsToRemove"], "lasso2d", "select2d"],
}
_PLOTLY_JS: Final = "plotly.min.js"

_PLAYER: Final = "followed-player"

_HTML: Final = """
<div style="position: relative">
    <div class="recognizer-chart" role="img"></div>
    <div class="recognizer-moment" hidden style="position: absolute; left: 0; width: 2px; margin-left: -1px;
        pointer-events: none; will-change: transform"></div>
</div>
"""

_JS: Final = """
const charts = new WeakMap();
const STILL_PX = 4;  // a pointer that moved further has drawn a frame to zoom into

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

const player = () => document.querySelector('.st-key-PLAYER video');

// the line at the moment that the player shows, and the way there with a click
class Moment {
    constructor(div, line) {
        this.div = div;
        this.line = line;
        this.ended = new AbortController();
        // of the document, because players come and go; media events do not bubble
        const when = {capture: true, passive: true, signal: this.ended.signal};
        for (const name of ['play', 'seeking', 'timeupdate', 'loadeddata', 'emptied'])
            document.addEventListener(name, event => event.target === player() && this.hear(event), when);
        document.addEventListener('pointerdown', event => { this.down = event; }, when);
        document.addEventListener('pointerup', event => this.click(event), when);
    }

    // a player that takes the place of another, drawn with other thresholds, goes on where that one was
    hear({type, target}) {
        if (type === 'loadeddata' && this.playedS < target.duration) target.currentTime = this.playedS;
        else if (target.readyState) this.playedS = target.currentTime;
        this.follow();
    }

    follow() {
        cancelAnimationFrame(this.frame);
        const video = player();
        this.place(video);
        if (video && !video.paused && !video.ended && !this.ended.signal.aborted)
            this.frame = requestAnimationFrame(() => this.follow());
    }

    // what Plotly knows of its axis: where it lies in the chart, and its own unit (ms where it shows dates)
    axis() {
        const layout = this.div._fullLayout;
        const axis = layout?.xaxis;
        return axis && {axis, unitsPerS: axis.type === 'date' ? 1000 : 1, top: layout._size.t, height: layout._size.h};
    }

    place(video) {
        const found = this.follows && this.axis();
        const x = found && video?.readyState ? found.axis.l2p(video.currentTime * found.unitsPerS) : -1;
        this.line.hidden = !(x >= 0 && x <= found.axis._length);
        if (this.line.hidden) return;
        this.line.style.top = `${found.top}px`;
        this.line.style.height = `${found.height}px`;
        this.line.style.background = this.div._fullLayout.font.color;
        this.line.style.transform = `translateX(${found.axis._offset + x}px)`;
    }

    click(event) {
        const {down} = this;
        const video = player();
        const found = this.follows && this.axis();
        if (!down || !video || !found || event.button) return;
        if (!this.div.contains(down.target) || !down.target.closest('.draglayer')) return;  // not Plotly's buttons
        if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > STILL_PX) return;
        const box = this.div.getBoundingClientRect();
        const x = event.clientX - box.left - found.axis._offset;
        const y = event.clientY - box.top - found.top;
        if (x < 0 || x > found.axis._length || y < 0 || y > found.height) return;
        video.currentTime = Math.max(0, found.axis.p2l(x) / found.unitsPerS);
    }

    end() {
        this.ended.abort();
        cancelAnimationFrame(this.frame);
    }
}

class Chart {
    constructor(div, line) {
        this.div = div;
        this.moment = new Moment(div, line);
        this.steps = Promise.resolve();
        this.widths = new ResizeObserver(() => this.draw());
        this.widths.observe(div);
    }

    show(text) {
        if (text === this.text) return;
        this.text = text;
        this.wanted = JSON.parse(text);
        this.moment.follows = this.wanted.follows;
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
            const isFirst = !this.div.on;
            await plotly.react(this.div, wanted.figure.data, {...wanted.figure.layout, width}, wanted.config);
            if (isFirst) this.div.on('plotly_afterplot', () => this.moment.follow());
            this.moment.follow();
        } else if (width !== this.width) {
            this.width = width;
            await plotly.relayout(this.div, {width});
        }
    }

    end() {
        this.gone = true;
        this.widths.disconnect();
        this.moment.end();
        charts.delete(this.div);
        this.plotly?.purge(this.div);
    }
}

export default function ({data, parentElement}) {
    const div = parentElement.querySelector('.recognizer-chart');
    if (!charts.has(div)) charts.set(div, new Chart(div, parentElement.querySelector('.recognizer-moment')));
    charts.get(div).show(new TextDecoder().decode(data));
    // also called for a figure that another one overtook; then the chart is still there
    return () => setTimeout(() => div.isConnected || charts.get(div)?.end());
}
""".replace("PLAYER", _PLAYER)

_draw = st.components.v2.component("recognizer_chart", html=_HTML, js=_JS, isolate_styles=False)


def aspect_of(video: VideoInfo) -> str:
    """Width over height as CSS has it."""
    return f"{video.width} / {video.height}" if video.width and video.height else "auto"


@contextmanager
def followed_player(aspect: str = "auto") -> Iterator[None]:
    """Where the player is drawn that the charts of the page follow; one a page.

    Args:
        aspect: width over height as CSS has it, so that nothing moves when the video is there.
    """
    with st.container(key=_PLAYER):
        st.html(f"<style>.st-key-{_PLAYER} video {{ aspect-ratio: {aspect}; }}</style>")
        yield


def show_chart(figure: Figure, key: str, label: str, *, mode_bar: bool = True, follows: bool = False) -> None:
    """Draw a figure as high as its layout says and as wide as there is room.

    Args:
        figure: may be changed here.
        key: the same for all figures that are drawn into one chart; another one begins without a zoom.
        label: what the chart shows, for those who do not see it.
        mode_bar: whether Plotly's buttons appear over it.
        follows: whether it shows the moment of the page's player, and a click in it goes there; its horizontal axis is
            the time of the video, in seconds or as a date.
    """
    config = {**_CONFIG, **({} if mode_bar else {"displayModeBar": False})}
    library = _library()
    if library is None:
        st.plotly_chart(figure, theme=None, key=key, config=config)
        return
    _name_traces(figure)
    message = {"figure": figure, "config": config, "label": label, "library": library, "follows": follows}
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
    return f"{serve_folder('plotly', folder)}/{_PLOTLY_JS}?{version('plotly')}"


def _name_traces(figure: Figure) -> None:
    """So that what the legend hid stays hidden, though another action is now the longest."""
    seen: Counter[str] = Counter()
    for trace in figure["data"]:
        name = f"{trace['type']} {trace.get('name')}"
        trace["uid"] = f"trace{crc32(name.encode())}n{seen[name]}"  # Plotly looks for it as a CSS class
        seen[name] += 1
