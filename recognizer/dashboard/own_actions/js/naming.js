// A field for an action's name, with the names that there are, and "none of these".

import { element } from "../../workbench/js/dom.js";

const LONGEST = 60; // as on the server
const NONE = "none of these";

let fields = 0; // for ids

// onname(action): null for none of these
export function namingForm(actions, words, onname) {
    fields += 1;
    const id = `names-${fields}`;
    const names = element("datalist", { id });
    const field = element("input", { type: "text", list: id, placeholder: "Name", "aria-label": words, autocomplete: "off", spellcheck: "false", enterkeyhint: "done" });
    const submit = element("button", { type: "submit" }, words);
    const form = element("form", { class: "adding" }, field, names, submit);
    // what has been named since the form was made, too
    field.addEventListener("focus", () => names.replaceChildren(...[...actions.names, NONE].map((value) => element("option", { value }))));
    field.addEventListener("input", () => {
        const { length } = Array.from(field.value.trim());
        field.setCustomValidity(length > LONGEST ? `A name has up to ${LONGEST} characters, and this one has ${length}.` : "");
    });
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        const name = field.value.trim();
        if (name) onname(name.toLowerCase() === NONE ? null : name);
        else field.focus();
    });
    field.addEventListener("keydown", (event) => event.stopPropagation()); // the app has keys of its own
    return { form, field, submit };
}
