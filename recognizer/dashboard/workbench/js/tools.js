// Undo and redo, what is hidden, how far the review is, and whether all is saved.

import { MODIFIER } from "./commands.js";
import { button, element, icon } from "./dom.js";
import { openMenu } from "./menu.js";
import { unhide } from "./person_acts.js";
import { checkAll, progress } from "./segment_acts.js";

const UNDO = "M9 14 4 9l5-5v3.500h5a6 6 0 0 1 0 12h-4v-2.500h4a3.500 3.500 0 0 0 0-7H9z";
const REDO = "m15 14 5-5-5-5v3.500h-5a6 6 0 0 0 0 12h4v-2.500h-4a3.500 3.500 0 0 1 0-7h5z";

export class Tools {
    constructor(host, editing) {
        Object.assign(this, { host, editing });
        const { model } = editing;
        this.progress = element("button", { type: "button", class: "progress", "aria-haspopup": "menu", onclick: () => this.openChecks() });
        this.hidden = element("button", { type: "button", "aria-haspopup": "menu", onclick: () => this.openHidden() });
        this.saved = element("span", { class: "saved", "aria-hidden": "true" });
        this.undo = button("Undo", icon(UNDO), () => editing.undo());
        this.redo = button("Redo", icon(REDO), () => editing.redo());
        this.review = element("div", { class: "review" }, this.progress, this.hidden);
        host.append(this.saved, this.undo, this.redo);
        for (const name of ["timeline", "segments"]) model.addEventListener(name, () => this.update());
    }

    show(word) {
        this.saved.textContent = word;
    }

    update() {
        const { timeline, segments } = this.editing.model;
        this.host.hidden = timeline.readOnly;
        const undo = this.editing.teaching?.undoTitle ?? timeline.undo;
        this.undo.setAttribute("aria-disabled", String(!undo));
        this.redo.setAttribute("aria-disabled", String(!timeline.redo));
        entitle(this.undo, undo ? `Undo: ${undo} (${MODIFIER} Z)` : "Undo");
        entitle(this.redo, timeline.redo ? `Redo: ${timeline.redo}` : "Redo");
        this.hidden.hidden = !timeline.hidden.length;
        this.hidden.textContent = `${timeline.hidden.length} hidden`;
        if (undo && !this.saved.textContent) this.show("Saved");
        if (!segments) return;
        const { text, isDone } = progress(this.editing.model);
        this.progress.textContent = text;
        this.progress.disabled = !segments.lane.length;
        this.isDone = isDone;
    }

    openHidden() {
        const { editing } = this;
        openMenu(editing.root, "Hidden people", this.hidden.getBoundingClientRect(), [
            { heading: "Show again" },
            ...editing.model.timeline.hidden.map((person) => ({
                label: person.title,
                run: () => editing.next(() => unhide(editing, person)),
            })),
        ]);
    }

    openChecks() {
        const { editing } = this;
        openMenu(editing.root, "Review", this.progress.getBoundingClientRect(), [
            {
                label: this.isDone ? "Check none of the segments in view" : "Check all segments in view",
                run: () => editing.next(() => checkAll(editing, editing.model.shownLanes)),
            },
        ]);
    }
}

function entitle(place, text) {
    place.title = text;
    place.setAttribute("aria-label", text);
}
