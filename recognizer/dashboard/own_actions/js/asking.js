// Ask me: five moments that the set knows least of, one after the other, with a key for each answer.

import { element } from "../../workbench/js/dom.js";
import { linkTo, stripsOf } from "./film.js";
import { namingForm } from "./naming.js";
import { arrange } from "./rows.js";

const KEYS = 9;

export class Asking {
    constructor(place, page) {
        Object.assign(this, { place, page });
        this.moments = [];
        this.at = 0;
        this.begin = element("button", { type: "button", class: "primary", onclick: () => this.ask() }, "Ask me");
        this.panel = element("div", { class: "asking", tabindex: "-1", hidden: true, "aria-live": "polite" });
        this.panel.addEventListener("keydown", (event) => this.key(event));
        this.said = element("div", { class: "said" }); // the note would cover the answers
        this.both = element("div", {}, this.panel, this.said);
        place.append(this.begin, this.both);
        page.actions.addEventListener("set", () => this.isAsking && this.offer());
    }

    get isAsking() {
        return this.at < this.moments.length;
    }

    async ask() {
        this.begin.disabled = true;
        const found = await this.page.actions.tell(() => this.page.actions.questions());
        this.begin.disabled = false;
        if (!found) return;
        this.moments = found.moments;
        this.strips = stripsOf(this.page.actions, found.moments);
        this.at = 0;
        this.show(found.problem);
    }

    show(problem = null) {
        this.panel.hidden = false;
        this.begin.hidden = this.isAsking;
        this.begin.textContent = "Ask me more";
        if (!this.isAsking) {
            const done = this.moments.length ? "These were all. What you answered is learned." : "";
            this.panel.replaceChildren(element("p", {}, problem ?? done));
            return;
        }
        const moment = this.moments[this.at];
        const count = element("p", { class: "counted" }, `${this.at + 1} of ${this.moments.length}: what is it? `, linkTo(this.page.actions, moment));
        this.known = new Map(); // buttons by name
        this.others = [
            answer("0", "None of these", () => this.answer(null)),
            answer("S", "Skip", () => this.skip()),
            namingForm(this.page.actions, "Another name", (name) => this.answer(name)).form,
        ];
        this.answers = element("div", { class: "answers" });
        this.panel.replaceChildren(count, element("div", { class: "film large" }, this.strips[this.at]), this.answers);
        this.offer();
        this.panel.focus({ preventScroll: true });
        this.both.scrollIntoView({ block: "nearest" });
    }

    // The names may have changed since the moment was shown: what is typed or has the focus stays.
    offer() {
        const { names } = this.page.actions;
        const before = this.known;
        this.known = new Map(names.map((name) => [name, before.get(name) ?? answer("", name, () => this.answer(name))]));
        names.forEach((name, k) => setKey(this.known.get(name), k < KEYS ? String(k + 1) : "", name));
        arrange(this.answers, [...this.known.values(), ...this.others]);
    }

    async answer(action) {
        const moment = this.moments[this.at];
        this.at += 1;
        this.show();
        const next = this.at;
        const { actions, note } = this.page;
        const done = await actions.name([moment], action);
        if (done) {
            note.offerUndo(`Taught ${action ?? "“none of these”"}.`, 1, this.said);
            return;
        }
        note.standIn(this.said);
        if (this.at === next && this.moments[next - 1] === moment) { // a refused name is no answer
            this.at -= 1;
            this.show();
        }
    }

    skip() {
        this.at += 1;
        this.show();
    }

    key(event) {
        if (!this.isAsking || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
        const name = this.page.actions.names[Number(event.key) - 1];
        if (event.key === "0") this.answer(null);
        else if (event.key.toLowerCase() === "s") this.skip();
        else if (/^[1-9]$/u.test(event.key) && name !== undefined) this.answer(name);
        else return;
        event.preventDefault();
        event.stopPropagation(); // the app has keys of its own
    }
}

function answer(key, label, run) {
    const made = element("button", { type: "button", onclick: run });
    setKey(made, key, label);
    return made;
}

function setKey(one, key, label) {
    if (key) one.setAttribute("aria-keyshortcuts", key);
    else one.removeAttribute("aria-keyshortcuts");
    one.replaceChildren(...key ? [element("kbd", { "aria-hidden": "true" }, key), label] : [label]);
}
