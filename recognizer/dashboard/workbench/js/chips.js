// The likely labels of the selected segment as buttons, with the numbers of their keys.

import { likelyOf } from "./around.js";
import { element, asProbability } from "./dom.js";
import { chooseLikely } from "./segment_acts.js";

const LIKELY = 5;

export class Chips {
    constructor(editing) {
        this.editing = editing;
        this.chips = Array.from({ length: LIKELY }, (_, k) => this.chip(k));
    }

    get elements() {
        return this.chips.map(({ chip }) => chip);
    }

    chip(k) {
        const name = element("span", { class: "label" });
        const share = element("span", { class: "share" });
        const choose = () => this.editing.onSegment((one) => chooseLikely(this.editing, one, k));
        const number = element("kbd", { "aria-hidden": "true" }, String(k + 1));
        const chip = element("button", { type: "button", class: "chip", "aria-keyshortcuts": String(k + 1), onclick: choose }, number, name, share);
        return { chip, name, share };
    }

    // one: a segment, or null
    async show(one) {
        this.shown = one;
        let likely = [];
        try {
            if (one) likely = await likelyOf(this.editing.model, one.row);
        } catch {
            // the lanes' card says why
        }
        if (this.shown === one) this.offer(likely, one);
    }

    offer(likely, one) {
        this.chips.forEach(({ chip, name, share }, k) => {
            const [label, probability] = likely[k] ?? ["", null];
            const isNow = label !== "" && label === one?.action;
            name.textContent = label;
            share.textContent = probability === null ? "" : asProbability(probability);
            chip.disabled = !label;
            chip.setAttribute("aria-pressed", String(isNow));
            chip.classList.toggle("close", label !== "" && label === one?.second);
            chip.title = label && `${label}, ${asProbability(probability)} (${k + 1})${isNow ? ": right, mark as checked" : ""}`;
        });
    }
}
