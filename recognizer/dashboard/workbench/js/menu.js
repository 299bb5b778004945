// Context menus: for mouse, finger and keyboard.

import { element } from "./dom.js";
import { Popup } from "./popup.js";

const TYPED_MS = 700; // letters typed within this time are one word

// Show a menu and run what is chosen.
//
// items: {label, run, key: shown at the right, share: a probability, isOff, why: the reason, isChecked}, "-" for a line,
// or {heading}
export async function openMenu(root, name, at, items) {
    const menu = new Menu(root, name, at, items);
    const chosen = await menu.popup.closed;
    chosen?.run();
}

class Menu {
    constructor(root, name, at, items) {
        this.entries = [];
        this.typed = "";
        const list = element("div", { class: "menu", role: "menu", "aria-label": name });
        list.append(...items.map((item) => this.line(item)));
        list.addEventListener("keydown", (event) => this.key(event));
        this.popup = new Popup(root, name, at, list);
        this.focus(0);
    }

    line(item) {
        if (item === "-") return element("div", { role: "separator" });
        if (item.heading) return element("div", { class: "heading", role: "presentation" }, item.heading);
        const isChoice = item.isChecked !== undefined;
        const entry = element(
            "button",
            {
                type: "button",
                role: isChoice ? "menuitemradio" : "menuitem",
                "aria-checked": isChoice ? String(item.isChecked) : null,
                "aria-disabled": item.isOff ? "true" : null,
                title: (item.isOff && item.why) || null,
                tabindex: "-1",
                onclick: () => { if (!item.isOff) this.popup.close(item); },
                onpointermove: () => { if (document.activeElement !== entry) entry.focus({ preventScroll: true }); },
            },
            element("span", { class: "label" }, item.label),
            ...(item.share ? [element("span", { class: "share" }, item.share)] : []),
            ...(item.key ? [element("kbd", { "aria-hidden": "true" }, item.key)] : []),
        );
        this.entries.push({ entry, item });
        return entry;
    }

    focus(index) {
        const count = this.entries.length;
        this.index = (index + count) % count;
        this.entries[this.index].entry.focus();
    }

    key(event) {
        const active = event.target.closest?.("[role^=menuitem]");
        const index = this.entries.findIndex(({ entry }) => entry === active);
        const moves = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: -1 };
        if (event.key in moves) this.focus(moves[event.key]);
        else if (event.key === "Tab") this.focus(event.shiftKey ? index - 1 : index + 1);
        else if (!this.choose(event, index)) return;
        event.preventDefault();
    }

    // Choose by an item's key; else go to the next item that begins with the letters typed.
    choose(event, index) {
        if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return false;
        const letter = event.key.toLowerCase();
        const byKey = this.entries.find(({ item }) => item.key?.toLowerCase() === letter && !item.isOff);
        if (byKey) {
            this.popup.close(byKey.item);
            return true;
        }
        this.typed = event.timeStamp - (this.typedMs ?? 0) < TYPED_MS ? this.typed + letter : letter;
        this.typedMs = event.timeStamp;
        const from = this.typed.length === 1 ? index + 1 : index;
        const order = this.entries.map((_, k) => (from + k) % this.entries.length);
        const found = order.find((k) => this.entries[k].item.label.toLowerCase().startsWith(this.typed));
        if (found !== undefined) this.focus(found);
        return true;
    }
}
