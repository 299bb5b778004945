// The card at the pointer, or at the selected segment: who, what, when, how probable, and the five likeliest labels.

import { moment, spanInWords } from "./axis.js";
import { NONE_OF_THESE, likelyOf, taughtIn } from "./around.js";
import { element } from "./dom.js";

const UNKNOWN = "unknown";
const WAIT_MS = 90; // a pointer that passes by asks nothing
const OFFSET_PX = 16;
const MARGIN_PX = 8;
const BAR_PX = 72; // of a label that is certain

export class Hover {
    constructor(host, model) {
        this.model = model;
        // a popover lies above everything, whatever cuts off the workbench
        this.card = element("div", { class: "lanes-hover", role: "tooltip", popover: "manual" });
        this.key = "";
        host.append(this.card);
    }

    // Show what lies at a time of a lane, next to a place in the window. `movement`: [startS, endS, kind] or null.
    show({ row, movement, laneIndex, timeS, endS, clientX, clientY }) {
        const lane = this.model.shownLanes[laneIndex];
        const key = row === null ? `${lane.key} ${timeS}` : `row ${row}`;
        if (key !== this.key || !this.isOpen) {
            this.key = key;
            clearTimeout(this.timer);
            if (row !== null) this.fill(row, endS);
            else this.card.replaceChildren(...(movement ? movementLines(lane, movement, endS) : emptyLines(lane, timeS, endS)));
        }
        if (!this.isOpen) this.card.showPopover();
        this.place(clientX, clientY);
    }

    hide() {
        clearTimeout(this.timer);
        this.key = "";
        if (this.isOpen) this.card.hidePopover();
    }

    get isOpen() {
        return this.card.matches(":popover-open");
    }

    fill(row, endS) {
        const { model } = this;
        const likely = element("div", { class: "lanes-likely" });
        this.card.replaceChildren(...segmentLines(model.segment(row), endS), likely);
        const { key } = this;
        const { segments } = model;
        this.timer = setTimeout(async () => {
            const lines = await likelyOf(model, row).then(likelyLines, (error) => [element("div", {}, error.message)]);
            if (this.key === key && segments === model.segments) likely.replaceChildren(...lines);
            this.place(...this.at);
        }, WAIT_MS);
    }

    place(clientX, clientY) {
        this.at = [clientX, clientY];
        const { width, height } = this.card.getBoundingClientRect();
        const right = document.documentElement.clientWidth - width - MARGIN_PX;
        const isAbove = clientY + OFFSET_PX + height + MARGIN_PX > window.innerHeight;
        const top = isAbove ? clientY - OFFSET_PX - height : clientY + OFFSET_PX;
        this.card.style.left = `${Math.max(MARGIN_PX, Math.min(clientX + OFFSET_PX / 2, right))}px`;
        this.card.style.top = `${Math.max(MARGIN_PX, top)}px`;
    }

    end() {
        clearTimeout(this.timer);
        this.card.remove();
    }
}

function segmentLines({ lane, action, color, second, startS, endS, confidence, source, checked }, videoEndS) {
    const swatch = element("span", { class: "lanes-swatch" });
    swatch.style.background = color;
    const what = element("div", { class: "lanes-what" }, swatch, element("b", {}, action));
    if (second) what.append(` or ${second}`);
    const sure = `${action === UNKNOWN ? "best guess" : "probability"} ${confidence.toFixed(2)}`;
    const facts = [source === "human" ? madeBy(lane) : sure, ...(checked ? ["checked"] : [])];
    facts.push(...taughtIn({ lane, startS, endS }).map((one) => `taught: ${one.action ?? NONE_OF_THESE}`));
    return [
        what,
        element("div", {}, `${whose(lane)} · ${spanInWords(startS, endS, videoEndS)}`),
        element("div", { class: "lanes-quiet" }, facts.join(" · ")),
    ];
}

function emptyLines(lane, timeS, endS) {
    const isPresent = lane.presence.some(([startS, toS]) => startS <= timeS && timeS < toS);
    return [
        element("div", {}, `${whose(lane)} · ${moment(timeS, endS)}`),
        element("div", { class: "lanes-quiet" }, isPresent ? "present, no label" : "not in the picture"),
    ];
}

// Who made a segment that is no classifier's.
export const madeBy = ({ isTruth }) => (isTruth ? "your label" : "corrected by you");

export const whose = ({ title, classifier }) => (classifier ? `${title} · ${classifier}` : title);

function movementLines(lane, [startS, toS, kind], endS) {
    return [
        element("div", {}, element("b", {}, kind)),
        element("div", {}, `${whose(lane)} · ${spanInWords(startS, toS, endS)}`),
    ];
}

function likelyLines(labels) {
    return labels.map(([name, probability]) => {
        const bar = element("i");
        bar.style.width = `${Math.round(BAR_PX * probability)}px`; // a share of the card would not count in its width
        return element("div", {}, element("span", {}, probability.toFixed(2)), bar, element("span", {}, name));
    });
}
