// The list itself. Long lists are drawn as far as they are scrolled.

import { element } from "../../workbench/js/dom.js";
import { Row } from "./row.js";

const AT_ONCE = 60;

const COLUMNS = [
    ["name", "Name"],
    ["length", "Length"],
    ["people", "People"],
    ["classifier", "Classifier"],
    ["state", "State"],
    ["date", "Date"],
    ["size", "Size"],
];

export class Table {
    constructor(runs, acts) {
        this.runs = runs;
        this.acts = acts;
        this.rows = new Map();
        this.shown = [];
        this.count = AT_ONCE;
        this.heads = new Map(COLUMNS.map(([by, title]) => [by, this.head(by, title)]));
        const head = element("tr", {}, element("th", { class: "l-picture" }), ...this.heads.values(), element("th", { class: "l-more" }));
        this.body = element("tbody");
        this.end = element("div", { class: "l-end", "aria-hidden": "true" });
        this.empty = element("div", { class: "l-empty", hidden: true });
        this.table = element("table", {}, element("thead", {}, head), this.body);
        this.element = element("div", { class: "l-list" }, this.table, this.empty, this.end);
        this.watcher = new IntersectionObserver(([seen]) => { if (seen.isIntersecting) this.more(); }, { rootMargin: "600px" });
        this.watcher.observe(this.end);
        runs.addEventListener("change", () => this.show());
    }

    head(by, title) {
        const button = element("button", { type: "button", onclick: () => this.orderBy(by) }, title);
        return element("th", { class: `l-${by}`, scope: "col" }, button);
    }

    orderBy(by) {
        this.count = AT_ONCE;
        this.runs.orderBy(by);
    }

    more() {
        if (this.count >= this.shown.length) return;
        this.count += AT_ONCE;
        this.draw();
        // what was added may be shorter than the window: look again
        this.watcher.unobserve(this.end);
        this.watcher.observe(this.end);
    }

    show() {
        const { by, descending } = this.runs.order;
        for (const [name, head] of this.heads) {
            if (name === by) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
            else head.removeAttribute("aria-sort");
        }
        const filter = JSON.stringify(this.runs.wanted);
        if (filter !== this.filter) this.count = AT_ONCE;
        this.filter = filter;
        this.shown = this.runs.shown;
        this.draw();
    }

    draw() {
        const before = this.rows;
        this.rows = new Map();
        const wanted = this.shown.slice(0, this.count).map((run) => {
            const row = before.get(run.id) ?? new Row(this.runs, this.acts, run);
            row.update(run);
            this.rows.set(run.id, row);
            return row.element;
        });
        arrange(this.body, wanted);
        const isEmpty = this.runs.isLoaded && !this.shown.length;
        this.table.hidden = isEmpty;
        this.empty.hidden = !isEmpty;
        if (isEmpty) this.empty.replaceChildren(...this.nothing());
    }

    nothing() {
        if (this.runs.wanted.removed && !this.runs.runs.length) return [element("p", {}, "Nothing is deleted.")];
        if (this.runs.runs.length) return [element("p", {}, "No run fits this search. Clear a field above to see more.")];
        return [
            element("h3", {}, "Nothing here yet"),
            element("p", {}, "Every video that you upload or analyse, every comparison and every camera session is listed here, to open it again, run it again with other settings, or delete it."),
            element("a", { class: "l-primary", href: this.runs.app, onclick: (event) => this.acts.goTo(event, { page: "analyse" }) }, "Analyse a video"),
        ];
    }
}

// Give a place these children, in this order, and touch none that stays: it keeps the focus and its picture.
function arrange(place, children) {
    const kept = new Set(children);
    const gone = [...place.children].filter((child) => !kept.has(child));
    for (const child of gone) child.remove();
    children.forEach((child, k) => {
        if (place.children[k] !== child) place.insertBefore(child, place.children[k] ?? null);
    });
}
