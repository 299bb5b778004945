// The page of a set of actions: rows of examples, how good they are, questions, and what looks alike. See ../component.py.

import { element } from "../../workbench/js/dom.js";
import { followTheme } from "../../workbench/js/theme.js";
import { Actions } from "./actions.js";
import { Asking } from "./asking.js";
import { Finding } from "./finding.js";
import { Measured } from "./measured.js";
import { Note } from "./note.js";
import { Rows } from "./rows.js";

const pages = new WeakMap(); // by the element they are built in

// Build the page in `root`, or bring the one that is there up to date.
//
// data: {api: the absolute address of the set, revision}
// Returns a function that ends it, unless it is still on the page.
export function mount(root, data) {
    let page = pages.get(root);
    if (page && page.data.api !== data.api) {
        page.end();
        page = null;
    }
    if (page) {
        page.update(data);
    } else {
        page = new Page(root, data);
        pages.set(root, page);
    }
    // Streamlit also calls this when newer data come; then the page is still there
    return () => setTimeout(() => {
        if (root.isConnected) return;
        page.end();
        pages.delete(root);
    });
}

class Page {
    constructor(root, data) {
        this.data = data;
        this.actions = new Actions(data.api);
        this.root = element("section", { class: "bench own", "aria-label": "Actions" });
        root.replaceChildren(this.root);
        this.ended = new AbortController();
        const { actions } = this;
        const page = { root: this.root, actions, findAlike: (example, action) => finding.alike(example, action) };
        page.note = this.note = new Note(this.root, actions);
        this.rows = new Rows(this.part("Actions", null), page);
        this.measured = new Measured(this.part("How good the names are", null), page);
        this.asking = new Asking(this.part("Ask me", "Five moments least like those that you marked, from videos that you have not marked yet. Each needs one key."), page);
        const finding = new Finding(this.part("Find alike", "Moments without a name that look alike, over all videos analysed in this browser. Name a whole group at once."), page);
        this.followTheme();
        (root.getRootNode().host ?? root).recognizer = { actions }; // for tests
        actions.load();
        actions.prepare();
    }

    part(title, words) {
        const place = element("div", { class: "part" }, element("h3", {}, title));
        if (words) place.append(element("p", { class: "hint" }, words));
        this.root.insertBefore(place, this.note?.line ?? null);
        return place;
    }

    followTheme() {
        const { root } = this;
        const look = { theme: null, setTheme(theme) { this.theme = theme; root.classList.toggle("dark", theme.dark); } };
        followTheme(root, look, this.ended.signal);
    }

    update(data) {
        this.data = data;
        this.actions.refresh(data.revision);
    }

    end() {
        this.ended.abort();
        this.note.hide();
    }
}
