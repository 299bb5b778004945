// A field for a person's name, where the name stands.

import { element } from "./dom.js";
import { Popup } from "./popup.js";

const LONGEST = 80;

// Answers with the name, "" to remove it, or null.
export function askName(root, { title, number }, at) {
    const isNamed = title !== `Person ${number}`;
    const field = element("input", {
        type: "text",
        "aria-label": `Name of ${title}`,
        placeholder: `Person ${number}`,
        maxlength: LONGEST,
        autocomplete: "off",
        spellcheck: "false",
        enterkeyhint: "done",
    });
    const form = element("form", { class: "naming" }, field, element("button", { type: "submit" }, "OK"));
    // over the name, not below it
    const popup = new Popup(root, `Name of ${title}`, { x: at.left, y: at.top, top: at.top }, form);
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        popup.close(field.value.trim());
    });
    field.value = isNamed ? title : "";
    field.focus();
    field.select();
    return popup.closed;
}
