// The line at the window's lower edge: what was done last with a way back, and what went wrong.

import { button, element } from "../../workbench/js/dom.js";
import { closeIcon } from "./film.js";

const SHOWN_MS = 10_000;

export class Note {
    constructor(place, actions) {
        this.actions = actions;
        this.text = element("span", { role: "status" });
        this.back = element("button", { type: "button", onclick: () => this.takeBack() }, "Undo");
        this.line = element("div", { class: "note-line", hidden: true }, this.text, this.back, button("Close", closeIcon(), () => this.hide()));
        this.edge = place;
        place.append(this.line);
        actions.addEventListener("set", () => this.outdate());
        actions.addEventListener("problem", ({ detail }) => this.show(detail, { isProblem: true }));
    }

    // changes: how many the server made of what was done
    // place: where it stands, so that it covers nothing; by default it floats at the window's lower edge
    offerUndo(text, changes = 1, place = this.edge) {
        this.show(text, { changes, place });
    }

    show(text, { changes = 0, isProblem = false, place = this.edge } = {}) {
        clearTimeout(this.timer);
        this.standIn(place);
        this.text.textContent = text;
        this.changes = changes;
        this.back.hidden = !changes;
        this.line.classList.toggle("is-problem", isProblem);
        this.line.hidden = false;
        this.timer = setTimeout(() => this.hide(), SHOWN_MS);
    }

    standIn(place) {
        if (this.line.parentNode !== place) place.append(this.line);
    }

    // Something was done since: undo would take that back, and what went wrong before does not matter any more.
    outdate() {
        this.back.hidden = true;
        if (this.line.classList.contains("is-problem")) this.hide();
    }

    async takeBack() {
        this.hide();
        if (await this.undo(this.changes)) this.show("Taken back.");
    }

    // Take changes back, one after the other; none if another tab has changed the set since.
    async undo(changes) {
        const { revision } = this.actions.set;
        const done = await this.actions.change("undo", { revision });
        return done && changes > 1 ? this.undo(changes - 1) : done;
    }

    hide() {
        clearTimeout(this.timer);
        this.line.hidden = true;
    }

    end() {
        clearTimeout(this.timer);
    }
}
