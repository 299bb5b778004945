// A list with a search field: the label of a segment, or a person.

import { element } from "./dom.js";
import { Popup } from "./popup.js";

let pickers = 0; // for ids

// Ask for one of many; answers with its value, or null.
//
// find(query) -> [{heading, options: [{value, label, share, picture, isNow, mark}]}]; `mark` is what one types for it
export function pick(root, name, at, { find, placeholder }) {
    return new Picker(root, name, at, find, placeholder).popup.closed;
}

class Picker {
    constructor(root, name, at, find, placeholder) {
        this.find = find;
        pickers += 1;
        this.id = `picker-${pickers}`;
        this.list = element("div", { role: "listbox", id: this.id, "aria-label": name, tabindex: "-1" });
        this.field = element("input", {
            type: "text",
            role: "combobox",
            "aria-label": name,
            "aria-autocomplete": "list",
            "aria-expanded": "true",
            "aria-controls": this.id,
            autocomplete: "off",
            autocapitalize: "off",
            spellcheck: "false",
            enterkeyhint: "done",
            placeholder,
            oninput: () => this.show(),
            onkeydown: (event) => this.key(event),
        });
        const cancel = element("button", { type: "button", onclick: () => this.popup.close() }, "Cancel");
        const head = element("div", { class: "head" }, element("span", { class: "title" }, name), cancel);
        this.popup = new Popup(root, name, at, element("div", { class: "picker" }, head, this.field, this.list));
        this.show();
        // it stays that high while the list gets shorter
        this.list.style.height = `${this.list.offsetHeight}px`;
        this.field.focus();
    }

    show() {
        this.options = [];
        const groups = this.find(this.field.value.trim()).filter(({ options }) => options.length);
        this.list.replaceChildren(...groups.map((group, k) => this.group(group, `${this.id}-${k}`)));
        this.go(this.field.value.trim() ? 0 : Math.max(0, this.options.findIndex(({ option }) => option.isNow)));
    }

    group({ heading, options }, id) {
        const lines = options.map((option) => this.line(option));
        const title = element("div", { class: "heading", id, role: "presentation" }, heading);
        return element("div", { role: "group", "aria-labelledby": id }, title, ...lines);
    }

    line(option) {
        const index = this.options.length;
        const line = element(
            "div",
            {
                role: "option",
                id: `${this.id}-option-${index}`,
                "aria-selected": "false",
                class: option.isNow ? "is-now" : null,
                onclick: () => this.popup.close(option.value),
                onpointermove: () => this.go(index, false),
            },
            ...(option.picture ? [picture(option.picture)] : []),
            element("span", { class: "label" }, option.label),
            ...(option.share ? [element("span", { class: "share" }, option.share)] : []),
            ...(option.mark ? [element("kbd", { "aria-hidden": "true" }, option.mark)] : []),
        );
        this.options.push({ line, option });
        return line;
    }

    go(index, intoView = true) {
        const count = this.options.length;
        this.options[this.index]?.line.setAttribute("aria-selected", "false");
        this.index = count ? (index + count) % count : -1;
        const line = this.options[this.index]?.line;
        line?.setAttribute("aria-selected", "true");
        if (line) this.field.setAttribute("aria-activedescendant", line.id);
        else this.field.removeAttribute("aria-activedescendant");
        if (intoView) line?.scrollIntoView({ block: "nearest" });
        if (intoView && index === 0) this.list.scrollTop = 0; // with the group's heading
    }

    key(event) {
        const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
        if (event.key in moves) {
            const last = this.options.length - 1;
            const step = moves[event.key];
            this.go(Math.abs(step) === 1 ? this.index + step : Math.max(0, Math.min(last, this.index + step)));
        } else if (event.key === "Enter" && !event.isComposing) {
            if (this.index >= 0) this.popup.close(this.options[this.index].option.value);
        } else {
            return;
        }
        event.preventDefault();
    }
}

function picture(address) {
    const made = element("img", { src: address, alt: "" });
    made.addEventListener("error", () => { made.style.visibility = "hidden"; });
    return made;
}
