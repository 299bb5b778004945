// A row for each action: its color, its name, how much there is, and the filmstrip of its examples.

import { button, element } from "../../workbench/js/dom.js";
import { openMenu } from "../../workbench/js/menu.js";
import { Popup } from "../../workbench/js/popup.js";
import { exampleFilm, moreIcon, titleOf } from "./film.js";

const NONE = "None of these";
const NONE_HINT = "What people do otherwise. It keeps other movements from getting one of your names.";

export class Rows {
    // page: {root, actions, note, findAlike}
    constructor(place, page) {
        this.page = page;
        this.byName = new Map();
        this.list = element("div", { class: "rows" });
        this.field = element("input", { type: "text", placeholder: "Another action", "aria-label": "Another action", autocomplete: "off", spellcheck: "false", enterkeyhint: "done" });
        const form = element("form", { class: "adding" }, this.field, element("button", { type: "submit" }, "Add"));
        form.addEventListener("submit", (event) => this.add(event));
        this.undo = element("button", { type: "button", class: "undo", hidden: true, onclick: () => this.takeBack() });
        place.append(this.list, element("div", { class: "below" }, form, this.undo));
        page.actions.addEventListener("set", () => this.show());
    }

    async add(event) {
        event.preventDefault();
        const { actions, note } = this.page;
        const name = this.field.value.trim();
        const before = actions.names;
        if (!name || !await actions.change("add", { name })) return;
        const known = before.find((one) => one.toLowerCase() === name.toLowerCase());
        if (known === undefined) this.field.value = "";
        else note.show(`“${known}” is in this set already.`);
    }

    async takeBack() {
        const words = this.page.actions.set.undo;
        if (await this.page.actions.change("undo")) this.page.note.show(`Taken back: ${words}.`);
    }

    show() {
        const { rows, colors, undo } = this.page.actions.set;
        this.undo.hidden = !undo;
        this.undo.textContent = this.undo.title = undo ? `Undo: ${undo}` : "";
        const shown = rows.map((row) => {
            const known = this.byName.get(row.name) ?? this.make(row.name);
            known.update(row, colors);
            return known;
        });
        this.byName = new Map(rows.map((row, k) => [row.name, shown[k]]));
        arrange(this.list, shown.map(({ element: one }) => one));
    }

    make(name) {
        return new Row(this.page, name);
    }
}

class Row {
    constructor(page, name) {
        Object.assign(this, { page, name });
        this.films = new Map();
        this.counted = element("span", { class: "counted" });
        this.strip = element("ul", { class: "films" });
        this.warnings = element("div", { class: "warnings" });
        const head = element("header", {}, ...(name === null ? this.noneHead() : this.head()));
        this.element = element("section", { class: "row", "aria-label": name ?? NONE }, head, this.strip, this.warnings);
    }

    head() {
        const { name } = this;
        this.swatch = button(`Color of ${name}`, "", () => this.recolor(), { class: "swatch" });
        this.field = element("input", { type: "text", class: "name", value: name, "aria-label": `Name of ${name}`, autocomplete: "off", spellcheck: "false", enterkeyhint: "done" });
        this.field.addEventListener("change", () => this.rename());
        this.field.addEventListener("keydown", (event) => this.key(event));
        const more = button(`More about ${name}`, moreIcon(), () => this.menu(more.getBoundingClientRect()));
        return [this.swatch, this.field, this.counted, more];
    }

    noneHead() {
        return [element("span", { class: "swatch" }), element("b", { class: "name" }, NONE), this.counted, element("span", { class: "hint" }, NONE_HINT)];
    }

    update(row, colors) {
        this.row = row;
        this.colors = colors;
        this.counted.textContent = row.counted;
        if (row.color) paint(this.swatch, row.color);
        this.warnings.replaceChildren(...row.warnings.map((text) => element("p", { class: "warning" }, text)));
        const films = row.examples.map((one) => this.films.get(one.id) ?? this.film(one));
        this.films = new Map(row.examples.map((one, k) => [one.id, films[k]]));
        arrange(this.strip, films);
    }

    film(example) {
        return exampleFilm(this.page.actions, example, {
            remove: () => this.remove(example),
            menu: (at) => this.exampleMenu(example, at),
        });
    }

    async remove({ id }) {
        const next = this.films.get(id)?.nextElementSibling ?? this.films.get(id)?.previousElementSibling;
        const done = await this.page.actions.change("removeExample", { example: id });
        if (!done) return;
        next?.querySelector("button:last-child")?.focus();
        this.page.note.offerUndo(`Removed one moment of ${this.name ?? NONE}.`);
    }

    exampleMenu(example, at) {
        const { actions, root, note } = this.page;
        const move = async (to) => {
            const done = await actions.change("move", { example: example.id, to });
            if (done) note.offerUndo(`Now a moment of ${to ?? NONE}.`);
        };
        const others = [...actions.names, null].filter((to) => to !== this.name);
        const moves = others.map((to) => ({ label: to ?? NONE, run: () => move(to) }));
        const alike = { label: "More like this", run: () => this.page.findAlike(example, this.name) };
        const remove = { label: "Remove", run: () => this.remove(example) };
        const title = titleOf(example);
        openMenu(root, title, at, [{ heading: title }, alike, remove, "-", { heading: "It is a moment of" }, ...moves]);
    }

    menu(at) {
        const { actions, root, note } = this.page;
        const remove = async () => {
            const done = await actions.change("remove", { name: this.name });
            if (done) note.offerUndo(`Removed ${this.name}${this.films.size ? `, with ${this.row.counted}` : ""}.`);
        };
        openMenu(root, this.name, at, [{ label: "Remove this action", run: remove }]);
    }

    async rename() {
        const to = this.field.value.trim();
        const done = to && to !== this.name ? await this.page.actions.change("rename", { name: this.name, to }) : null;
        if (done) this.page.note.offerUndo(`Renamed ${this.name} to ${to}.`);
        else this.field.value = this.name;
    }

    key(event) {
        if (event.key === "Escape") this.field.value = this.name;
        if (event.key === "Enter" || event.key === "Escape") this.field.blur();
        event.stopPropagation(); // the app has keys of its own
    }

    recolor() {
        const choices = this.colors.map((color, slot) => {
            const isNow = slot === this.row.slot;
            const choice = button(`Color ${slot + 1}`, "", () => popup.close(slot), { class: "swatch", "aria-pressed": String(isNow) });
            paint(choice, color);
            return choice;
        });
        const at = this.swatch.getBoundingClientRect();
        const popup = new Popup(this.page.root, `Color of ${this.name}`, at, element("div", { class: "colors" }, ...choices));
        popup.closed.then((slot) => slot !== null && this.page.actions.change("recolor", { name: this.name, slot }));
    }
}

function paint(swatch, { light, dark }) {
    swatch.style.setProperty("--light", light);
    swatch.style.setProperty("--dark", dark);
}

// Give a place these children, in this order, and touch none that stays: it keeps the focus and its pictures.
export function arrange(place, children) {
    const kept = new Set(children);
    const gone = Array.from(place.children).filter((child) => !kept.has(child));
    for (const child of gone) child.remove();
    children.forEach((child, k) => {
        if (place.children[k] !== child) place.insertBefore(child, place.children[k] ?? null);
    });
}
