// The line at the window's lower edge: what was done last, with a way back, and what went wrong.

import { element } from "../../workbench/js/dom.js";

const SHOWN_MS = 10_000;

export class Toast {
    constructor(root, runs) {
        this.text = element("span", { role: "status" });
        this.back = element("button", { type: "button", hidden: true, onclick: () => this.takeBack() }, "Undo");
        this.line = element("div", { class: "l-note-line", hidden: true }, this.text, this.back);
        runs.addEventListener("problem", ({ detail }) => this.show(detail, null, true));
    }

    // undo: takes back what was done; null if nothing can
    show(text, undo = null, isProblem = false) {
        clearTimeout(this.timer);
        this.text.textContent = text;
        this.undo = undo;
        this.back.hidden = !undo;
        this.line.classList.toggle("is-problem", isProblem);
        this.line.hidden = false;
        this.timer = setTimeout(() => { this.line.hidden = true; }, SHOWN_MS);
    }

    async takeBack() {
        const { undo } = this;
        this.line.hidden = true;
        if (await undo()) this.show("Taken back.");
    }
}
