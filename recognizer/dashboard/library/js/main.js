// The page "Library": a list of runs with a search, and what can be done with each. See ../component.py.

import { element } from "../../workbench/js/dom.js";
import { NoteLine } from "../../workbench/js/note_line.js";
import { followTheme } from "../../workbench/js/theme.js";
import { Acts } from "./acts.js";
import { Bar } from "./bar.js";
import { Runs } from "./runs.js";
import { Table } from "./table.js";

const pages = new WeakMap(); // by the element they are built in

// Build the page in `root`, unless it is there.
//
// data: {api: the absolute address of the list, app: that of the app, person: who uses the tab}
// Returns a function that ends it, unless it is still on the page.
export function mount(root, data, page) {
    if (!pages.has(root)) pages.set(root, new Page(root, data, page));
    // Streamlit also calls this when the page is drawn again; then it is still there
    return () => setTimeout(() => {
        if (root.isConnected) return;
        pages.get(root)?.end();
        pages.delete(root);
    });
}

class Page {
    constructor(root, data, { setTriggerValue }) {
        this.root = element("section", { class: "bench lib", "aria-label": "Library" });
        root.replaceChildren(this.root);
        this.ended = new AbortController();
        const runs = new Runs(data);
        (root.getRootNode().host ?? root).library = runs; // for tests
        const note = new NoteLine();
        runs.addEventListener("problem", ({ detail }) => note.show(detail, { isProblem: true }));
        const acts = new Acts(this.root, runs, note, { go: (wish) => setTriggerValue("wish", wish) });
        const table = new Table(runs, acts);
        const bar = new Bar(runs);
        this.root.append(bar.element, table.element, note.element);
        runs.follow(this.ended.signal);
        const { root: place } = this;
        const look = { theme: null, setTheme(theme) { this.theme = theme; place.classList.toggle("dark", theme.dark); } };
        followTheme(place, look, this.ended.signal);
    }

    end() {
        this.ended.abort();
    }
}
