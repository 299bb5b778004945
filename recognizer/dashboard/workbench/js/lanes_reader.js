// What the canvas shows, for screen readers: a list of the lanes, and a table of the selected lane's segments.

import { moment } from "./axis.js";
import { element, asProbability } from "./dom.js";
import { madeBy, whose } from "./hover.js";

const WAIT_MS = 400; // after the last change, so that a slider stays quick
const MOST_ROWS = 300; // of a table; nobody listens to more

export class Reader {
    constructor(list, place, model) {
        Object.assign(this, { list, model });
        this.options = element("div", { class: "lanes-unseen", role: "presentation" });
        this.table = element("table", { class: "lanes-unseen" });
        list.append(this.options);
        place.append(this.table);
    }

    update() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => {
            this.listLanes();
            this.listSegments();
        }, WAIT_MS);
    }

    listLanes() {
        const { model, list } = this;
        const { shownLanes, selectedLane } = model;
        list.setAttribute("aria-label", `Timeline, ${shownLanes.length} ${shownLanes.length === 1 ? "lane" : "lanes"}. Up and down arrows choose one.`);
        this.options.replaceChildren(...shownLanes.map((lane, index) => {
            const [first, past] = model.rowsOf(index);
            const isSelected = lane.key === selectedLane;
            const text = `${whose(lane)}: present for ${lane.presentS.toFixed(1)} s, ${past - first} segments`;
            return element("div", { role: "option", id: `lane-${index}`, "aria-selected": String(isSelected) }, text);
        }));
        this.point();
    }

    // Say which lane the keys have reached.
    point() {
        const index = this.model.laneIndex(this.model.selectedLane);
        for (const [k, option] of [...this.options.children].entries()) option.setAttribute("aria-selected", String(k === index));
        if (index < 0) this.list.removeAttribute("aria-activedescendant");
        else this.list.setAttribute("aria-activedescendant", `lane-${index}`);
    }

    listSegments() {
        const { model } = this;
        const index = model.laneIndex(model.selectedLane);
        if (index < 0) {
            this.table.replaceChildren();
            return;
        }
        const [first, past] = model.rowsOf(index);
        const shown = Math.min(past, first + MOST_ROWS);
        const rest = past > shown ? `, the first ${MOST_ROWS} of ${past - first}` : "";
        const heads = ["Action", "Start", "End", "Probability"].map((name) => element("th", { scope: "col" }, name));
        const rows = Array.from({ length: shown - first }, (_, k) => this.line(first + k));
        this.table.replaceChildren(
            element("caption", {}, `Segments of ${whose(model.shownLanes[index])}${rest}`),
            element("thead", {}, element("tr", {}, ...heads)),
            element("tbody", {}, ...rows),
        );
    }

    line(row) {
        const { action, startS, endS, confidence, source, lane } = this.model.segment(row);
        const sure = source === "human" ? madeBy(lane) : asProbability(confidence);
        const videoEndS = this.model.timeline.video.durationS;
        const cells = [action, moment(startS, videoEndS), moment(endS, videoEndS), sure];
        return element("tr", {}, ...cells.map((text) => element("td", {}, text)));
    }

    end() {
        clearTimeout(this.timer);
    }
}
