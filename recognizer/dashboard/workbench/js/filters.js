// Minimum confidence, minimum duration, and people who were seen only for a moment.

import { element } from "./dom.js";

const SLIDERS = [
    {
        name: "minConfidence",
        title: "Minimum confidence",
        range: { min: 0, max: 1, step: 0.05 },
        text: (value) => value.toFixed(2),
        help: "Below this confidence a segment says unknown. Unless it is calibrated, it is the network's own "
            + "probability, which is not the chance of being right.",
    },
    {
        name: "minDurationS",
        title: "Minimum duration",
        range: { min: 0, max: 10, step: 0.25 },
        text: (value) => `${value.toFixed(2)} s`,
        help: "Shorter actions are replaced by the action around them if it is the same on both sides, and by unknown "
            + "otherwise.",
    },
];

export class Filters {
    // onRelease: takes the view when a slider is let go
    constructor(host, model, onRelease) {
        this.model = model;
        this.onRelease = onRelease;
        this.sliders = SLIDERS.map((slider) => this.slider(slider));
        this.brief = element("input", { type: "checkbox", role: "switch", onchange: () => this.switchBrief() });
        this.briefText = element("span");
        this.briefRow = element("label", { class: "brief", hidden: true }, this.brief, this.briefText);
        host.append(...this.sliders.map(({ row }) => row), this.briefRow);
        model.addEventListener("timeline", () => this.update());
        model.addEventListener("segments", () => this.update());
        this.update();
    }

    slider({ name, title, range, text, help }) {
        const input = element("input", { type: "range", "aria-label": title, ...range });
        const value = element("span", { class: "value" });
        input.addEventListener("input", () => {
            value.textContent = text(input.valueAsNumber);
            input.setAttribute("aria-valuetext", value.textContent);
            this.model.setView({ [name]: input.valueAsNumber });
        });
        input.addEventListener("change", () => this.release());
        return { name, input, value, text, row: element("label", { title: help }, title, input, value) };
    }

    switchBrief() {
        this.model.setView({ showsBrief: this.brief.checked });
        this.release();
    }

    release() {
        const { minConfidence, minDurationS, showsBrief } = this.model.view;
        this.onRelease({ minConfidence, minDurationS, showsBrief });
    }

    update() {
        const { view, timeline } = this.model;
        for (const { name, input, value, text } of this.sliders) {
            if (input.valueAsNumber === view[name]) continue;
            input.value = view[name];
            value.textContent = text(view[name]);
        }
        for (const { input, value, text } of this.sliders) value.textContent ||= text(input.valueAsNumber);
        // people, not lanes: a comparison has several of each
        const brief = new Set(timeline?.lanes.filter((lane) => lane.isBrief).map((lane) => lane.personId)).size;
        this.briefRow.hidden = !brief;
        this.brief.checked = view.showsBrief;
        this.briefText.textContent = `Show ${brief} seen only briefly`;
    }
}
