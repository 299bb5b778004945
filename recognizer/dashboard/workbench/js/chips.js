// The likely labels of the selected segment as buttons, with the numbers of their keys.

import { likelyOf } from "./around.js";
import { element, asProbability } from "./dom.js";
import { chooseLikely } from "./segment_acts.js";

const LIKELY = 5;
const QUICK_MS = 150;

export class Chips {
    constructor(editing) {
        this.editing = editing;
        this.latestMs = -Infinity;
        this.chips = Array.from({ length: LIKELY }, (_, k) => this.chip(k));
        this.element = element("div", { class: "strip-chips" }, ...this.chips.map(({ chip }) => chip));
    }

    chip(k) {
        const name = element("span", { class: "label" });
        const share = element("span", { class: "share" });
        const choose = () => this.choose(k);
        const number = element("kbd", { "aria-hidden": "true" }, String(k + 1));
        const chip = element("button", { type: "button", class: "chip", "aria-keyshortcuts": String(k + 1), onclick: choose }, number, name, share);
        return { chip, name, share };
    }

    // one: a segment, or null
    async show(one) {
        this.shown = one;
        let likely = [];
        await this.rested();
        if (this.shown !== one) return;
        try {
            if (one) likely = await likelyOf(this.editing.model, one.row);
        } catch {
            // the lanes' card says why
        }
        if (this.shown === one) this.offer(likely, one);
    }

    // What the chips say is about the segment for which they were filled; another one may just have been selected.
    choose(k) {
        if (isSame(this.shown, this.offered)) this.editing.onSegment((one) => chooseLikely(this.editing, one, k));
    }

    // While segments come one after the other, as when a slider moves, nothing is asked about each.
    async rested() {
        const nowMs = performance.now();
        const isQuick = nowMs - this.latestMs < QUICK_MS;
        this.latestMs = nowMs;
        if (isQuick) await new Promise((done) => setTimeout(done, QUICK_MS));
    }

    offer(likely, one) {
        this.offered = one;
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

function isSame(one, other) {
    return one === other || (one?.lane.key === other?.lane.key && one?.startS === other?.startS && one?.endS === other?.endS);
}
