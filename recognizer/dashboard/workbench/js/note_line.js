// The line at the window's lower edge: what was done last with a way back, and what went wrong. See ../note_line.css.

import { button, closeIcon, element } from "./dom.js";

const SHOWN_MS = 10_000;

export class NoteLine {
    constructor() {
        this.text = element("span", { role: "status" });
        this.back = element("button", { type: "button", onclick: () => this.takeBack() }, "Undo");
        const close = button("Close", closeIcon(), () => this.hide(), { class: "close" });
        this.element = element("div", { class: "note-line", hidden: true }, this.text, this.back, close);
    }

    // undo: takes back what was done, and resolves to whether it did; null if nothing can
    show(text, { undo = null, isProblem = false } = {}) {
        clearTimeout(this.timer);
        this.text.textContent = text;
        this.undo = undo;
        this.back.hidden = !undo;
        this.element.classList.toggle("is-problem", isProblem);
        this.element.hidden = false;
        this.timer = setTimeout(() => this.hide(), SHOWN_MS);
    }

    async takeBack() {
        const { undo } = this;
        this.hide();
        if (await undo()) this.show("Taken back.");
    }

    // Something was done since: undo would take that back, and what went wrong before does not matter any more.
    outdate() {
        this.back.hidden = true;
        if (this.element.classList.contains("is-problem")) this.hide();
    }

    hide() {
        clearTimeout(this.timer);
        this.element.hidden = true;
    }
}
