// Draws a figure into the chart that is already there. See chart.py.

import { appAddress } from "./app_address.js";

const charts = new WeakMap();

// Load plotly.js once per page, whichever chart asks first.
function load(path) {
    window.recognizerPlotly ??= new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = new URL(path, appAddress()).href;
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
            await plotly.react(this.div, wanted.figure.data, { ...wanted.figure.layout, width }, wanted.config);
        } else if (width !== this.width) {
            this.width = width;
            await plotly.relayout(this.div, { width });
        }
    }

    end() {
        this.gone = true;
        this.widths.disconnect();
        charts.delete(this.div);
        this.plotly?.purge(this.div);
    }
}

export default function chart({ data, parentElement }) {
    const div = parentElement.querySelector(".recognizer-chart");
    if (!charts.has(div)) charts.set(div, new Chart(div));
    charts.get(div).show(new TextDecoder().decode(data));
    // Streamlit also calls this when a newer figure overtakes an older one; then the chart is still there
    return () => setTimeout(() => div.isConnected || charts.get(div)?.end());
}
