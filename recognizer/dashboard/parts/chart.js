// Draws a figure into the chart that is already there, and lets it follow the page's player. See chart.py.

const charts = new WeakMap();
const CLICK_PX = 4; // a pointer that moved further has drawn a frame to zoom into

// Load plotly.js once per page, whichever chart asks first. Streamlit's own scripts are two folders below the app's
// address.
function load(path) {
    window.recognizerPlotly ??= new Promise((resolve, reject) => {
        const own = document.querySelector('script[src*="static/js/"]');
        const script = document.createElement("script");
        script.src = new URL(path, own ? new URL("../../", own.src) : document.baseURI).href;
        script.addEventListener("load", () => resolve(window.Plotly));
        script.addEventListener("error", () => {
            script.remove();
            window.recognizerPlotly = null;
            reject(new Error("Plotly could not be loaded."));
        });
        document.head.append(script);
    });
    return window.recognizerPlotly;
}

// The line at the player's current time; a click in the chart moves the player.
class Moment {
    constructor(div, line) {
        this.div = div;
        this.line = line;
        this.beginsS = 0; // a camera's recording may begin later than its timeline
        this.ended = new AbortController();
        // listen on the document: players come and go, and media events do not bubble
        const options = { capture: true, passive: true, signal: this.ended.signal };
        for (const name of ["play", "seeking", "timeupdate", "loadeddata", "emptied"]) {
            document.addEventListener(name, (event) => event.target === this.video() && this.hear(event), options);
        }
        document.addEventListener("pointerdown", (event) => { this.down = event; }, options);
        document.addEventListener("pointerup", (event) => this.click(event), options);
    }

    video() {
        return this.player ? document.querySelector(this.player) : null;
    }

    // a new player, drawn with other thresholds, continues where the last one was
    hear({ type, target }) {
        if (type === "loadeddata" && this.playedS < target.duration) target.currentTime = this.playedS;
        else if (target.readyState) this.playedS = target.currentTime;
        this.follow();
    }

    follow() {
        cancelAnimationFrame(this.frame);
        const video = this.video();
        this.place(video);
        if (video && !video.paused && !video.ended && !this.ended.signal.aborted) {
            this.frame = requestAnimationFrame(() => this.follow());
        }
    }

    // Where the plot is in the chart, in px, and how its axis maps seconds to px; null before the first drawing.
    plot() {
        /* eslint-disable no-underscore-dangle -- Plotly has no public way to ask for this (read from plotly.js 3) */
        const layout = this.div._fullLayout;
        const axis = layout?.xaxis;
        if (!axis) return null;
        const unitsPerS = axis.type === "date" ? 1000 : 1;
        return {
            left: axis._offset,
            top: layout._size.t,
            width: axis._length,
            height: layout._size.h,
            color: layout.font.color,
            toPx: (timeS) => axis.l2p(timeS * unitsPerS),
            toS: (px) => axis.p2l(px) / unitsPerS,
        };
        /* eslint-enable no-underscore-dangle */
    }

    place(video) {
        const plot = video?.readyState ? this.plot() : null;
        const x = plot ? plot.toPx(video.currentTime + this.beginsS) : -1;
        this.line.hidden = !(x >= 0 && x <= plot.width);
        if (this.line.hidden) return;
        this.line.style.top = `${plot.top}px`;
        this.line.style.height = `${plot.height}px`;
        this.line.style.background = plot.color;
        this.line.style.transform = `translateX(${plot.left + x}px)`;
    }

    click(event) {
        const { down } = this;
        const video = this.video();
        const plot = video && this.plot();
        if (!down || !plot || event.button) return;
        if (!this.div.contains(down.target) || !down.target.closest(".draglayer")) return; // not Plotly's buttons
        if (Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) > CLICK_PX) return;
        const box = this.div.getBoundingClientRect();
        const x = event.clientX - box.left - plot.left;
        const y = event.clientY - box.top - plot.top;
        if (x < 0 || x > plot.width || y < 0 || y > plot.height) return;
        video.currentTime = Math.max(0, plot.toS(x) - this.beginsS);
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
        this.moment.player = this.wanted.player;
        this.moment.beginsS = this.wanted.playerBeginsS;
        this.div.setAttribute("aria-label", this.wanted.label);
        this.div.style.height = `${this.wanted.figure.layout.height}px`;
        this.draw();
    }

    draw() {
        this.steps = this.steps.then(() => this.step()).catch((error) => {
            console.error(error);
            if (!this.plotly) this.div.textContent = `This chart cannot be shown: ${error.message}`;
        });
    }

    // a chart in a closed tab has no width; it is drawn when the tab opens
    async step() {
        const { wanted } = this;
        if (!wanted) return;
        const plotly = await load(wanted.library);
        const width = this.div.clientWidth;
        if (this.gone || !width || wanted !== this.wanted) return;
        if (!this.plotly) this.div.textContent = "";
        this.plotly = plotly;
        if (wanted !== this.drawn) {
            this.drawn = wanted;
            this.width = width;
            const isFirst = !this.div.on;
            await plotly.react(this.div, wanted.figure.data, { ...wanted.figure.layout, width }, wanted.config);
            if (isFirst) this.div.on("plotly_afterplot", () => this.moment.follow());
            this.moment.follow();
        } else if (width !== this.width) {
            this.width = width;
            await plotly.relayout(this.div, { width });
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

export default function chart({ data, parentElement }) {
    const div = parentElement.querySelector(".recognizer-chart");
    if (!charts.has(div)) charts.set(div, new Chart(div, parentElement.querySelector(".recognizer-moment")));
    charts.get(div).show(new TextDecoder().decode(data));
    // Streamlit also calls this when a newer figure overtakes an older one; then the chart is still there
    return () => setTimeout(() => div.isConnected || charts.get(div)?.end());
}
