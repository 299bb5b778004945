// Find alike: groups of unknown time that look alike, and moments like an example; a few of them get a name at once.

import { element } from "../../workbench/js/dom.js";
import { choiceFilm, isChosen, stripsOf, titleOf } from "./film.js";
import { namingForm } from "./naming.js";

export class Finding {
    constructor(place, page) {
        this.page = page;
        this.begin = element("button", { type: "button", onclick: () => this.findGroups() }, "Look for groups");
        this.list = element("div", { class: "found", "aria-live": "polite" });
        place.append(this.begin, this.list);
        this.place = place;
    }

    async findGroups() {
        const { actions } = this.page;
        this.begin.disabled = true;
        const found = await actions.tell(() => actions.groups());
        this.begin.disabled = false;
        if (!found) return;
        this.begin.textContent = "Look again";
        const groups = found.groups.map(({ counted, moments }) => this.choices(`${counted} look alike`, moments, { areChosen: true }));
        this.list.replaceChildren(...(groups.length ? groups : [element("p", {}, found.problem)]));
    }

    // action: the name of the example's action, or null for none of these
    async alike(example, action) {
        const { actions } = this.page;
        const found = await actions.tell(() => actions.alike(example.id));
        if (!found) return;
        const words = `Like ${titleOf(example)}. Choose those that show the same.`;
        const choices = found.moments.length
            ? this.choices(words, found.moments, { action })
            : element("p", {}, found.problem);
        this.list.replaceChildren(choices);
        this.place.scrollIntoView({ block: "nearest", behavior: "smooth" });
        this.list.querySelector("button")?.focus({ preventScroll: true });
    }

    // Moments to choose from, with a field for their name. action: what it says at first; undefined for nothing
    choices(words, moments, { areChosen = false, action }) {
        const { actions, note } = this.page;
        const told = element("p", { class: "hint" });
        const count = () => {
            const number = films.filter(isChosen).length;
            naming.submit.disabled = !number;
            told.textContent = number ? `${number === 1 ? "1 becomes an example" : `${number} become examples`}; the others are named by what these teach.` : "";
        };
        const films = stripsOf(actions, moments).map((strip) => choiceFilm(strip, areChosen, () => count()));
        const naming = namingForm(actions, "Name them", async (name) => {
            const chosen = moments.filter((_, k) => isChosen(films[k]));
            naming.submit.disabled = true;
            const added = await actions.name(chosen, name);
            naming.submit.disabled = false;
            if (!added) return;
            note.offerUndo(`Taught ${name ?? "“none of these”"}, ${added === 1 ? "one example" : `${added} examples`}.`, added);
            block.remove();
        });
        if (action !== undefined) naming.field.value = action ?? "none of these";
        const block = element("section", { class: "group" }, element("p", {}, words), element("div", { class: "films" }, ...films), naming.form, told);
        count();
        return block;
    }
}
