// Above the list: the search, what to show, and how much there is.

import { element } from "../../workbench/js/dom.js";
import { KINDS, counted, isUpload, size } from "./words.js";

const IN_STATE = { unfinished: "Waiting or running", done: "Done", cancelled: "Cancelled", failed: "Failed" };

const ORDERS = { date: "Latest first", name: "By name", size: "Largest first", length: "Longest first", state: "By state" };

export class Bar {
    constructor(runs) {
        this.runs = runs;
        this.search = element("input", { type: "search", placeholder: "Search names, classifiers, tags", "aria-label": "Search", autocomplete: "off", spellcheck: "false" });
        this.search.addEventListener("input", () => runs.want({ text: this.search.value }));
        this.kind = this.choice("Kind", "kind", KINDS, "All kinds");
        this.state = this.choice("State", "state", IN_STATE, "Any state");
        this.tag = this.choice("Tag", "tag", {}, "All tags");
        this.order = element("select", { "aria-label": "Order", class: "l-order" }, ...Object.entries(ORDERS).map(([value, label]) => element("option", { value }, label)));
        this.order.addEventListener("change", () => runs.orderBy(this.order.value)); // on phones, where columns have no heads
        this.removed = element("button", { type: "button", class: "l-toggle", "aria-pressed": "false", onclick: () => this.showRemoved() }, "Deleted");
        this.total = element("p", { class: "l-total", role: "status" });
        this.element = element(
            "div",
            { class: "l-bar" },
            element("div", { class: "l-fields" }, this.search, this.kind, this.state, this.tag, this.order, this.removed),
            this.total,
        );
        runs.addEventListener("change", () => this.show());
    }

    choice(name, field, options, all) {
        const list = element("select", { "aria-label": name });
        list.addEventListener("change", () => this.runs.want({ [field]: list.value }));
        fill(list, options, all);
        return list;
    }

    showRemoved() {
        const removed = !this.runs.wanted.removed;
        this.removed.setAttribute("aria-pressed", String(removed));
        this.runs.want({ removed });
    }

    // "12 runs", "12 runs and 2 uploads"
    counted() {
        const { runs, wanted } = this.runs;
        const deleted = wanted.removed ? "deleted " : "";
        const uploads = runs.filter(isUpload).length;
        const said = [counted(runs.length - uploads, `${deleted}run`), counted(uploads, `${deleted}upload`)];
        return said.slice(uploads === runs.length && uploads ? 1 : 0, uploads ? 2 : 1).join(" and ");
    }

    show() {
        const { runs } = this;
        const { tags } = runs;
        this.tag.hidden = !tags.length;
        if (this.tag.options.length !== tags.length + 1) fill(this.tag, Object.fromEntries(tags.map((tag) => [tag, tag])), "All tags", runs.wanted.tag);
        const shown = runs.shown.length;
        const all = runs.runs.length;
        const parts = [shown === all ? this.counted() : `${shown.toLocaleString("en")} of ${this.counted()}`];
        if (runs.bytes) parts.push(`${size(runs.bytes)} of videos`);
        if (runs.freeBytes) parts.push(`${size(runs.freeBytes)} free on the disk`);
        if (runs.wanted.removed && all) parts.push("gone for good 7 days after they were deleted, or when their room is needed");
        this.total.textContent = parts.join(" · ");
        this.element.classList.toggle("is-idle", runs.isLoaded && !all && !runs.wanted.removed);
    }
}

function fill(list, options, all, chosen = "") {
    const entries = [["", all], ...Object.entries(options)];
    list.replaceChildren(...entries.map(([value, label]) => element("option", { value, selected: value === chosen }, label)));
}
