// How good the names are, by what other videos teach; and where the set will fail.

import { element } from "../../workbench/js/dom.js";

export class Measured {
    constructor(place, { actions }) {
        this.place = place;
        this.warnings = element("div", { class: "warnings" });
        this.rows = element("dl", { class: "recalls" });
        this.words = element("div", { class: "advice" });
        place.append(this.warnings, this.rows, this.words);
        actions.addEventListener("set", () => this.warn(actions.set));
        actions.addEventListener("measured", () => this.show(actions.measured));
    }

    warn({ warnings }) {
        this.warnings.replaceChildren(...warnings.map((text) => element("p", { class: "warning" }, text)));
    }

    show({ missing, rows, others, advice }) {
        const none = others ? [element("dt", {}, "none of these"), element("dd", {}, others)] : [];
        this.rows.replaceChildren(...rows.flatMap(recall), ...none);
        const method = "Each video is named by what the other videos teach. Other places and people may be harder.";
        const lines = missing ? [missing] : [...advice, method];
        this.words.replaceChildren(...lines.map((text) => element("p", {}, text)));
    }
}

function recall({ name, color, right, total }) {
    const bar = element("i");
    bar.style.width = `${(100 * right) / total}%`;
    bar.style.setProperty("--light", color.light);
    bar.style.setProperty("--dark", color.dark);
    const words = `${right} of ${total} recognized`;
    return [element("dt", {}, name), element("dd", {}, element("span", { class: "track", "aria-hidden": "true" }, bar), words)];
}
