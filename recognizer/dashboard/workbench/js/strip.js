// One line of buttons for the selected segment: its label, the likely labels with their numbers, and what can be done.

import { LANE, SEGMENT } from "./commands.js";
import { button, clock, element, percent } from "./dom.js";
import { chooseLabel, chooseLikely } from "./segment_acts.js";

const LIKELY = 5;

export class Strip {
    // review: an element for its end
    constructor(editing, review) {
        this.editing = editing;
        const { model } = editing;
        this.swatch = element("span", { class: "swatch" });
        this.action = element("span", { class: "label" });
        this.label = element(
            "button",
            { type: "button", class: "label-now", onclick: () => editing.onSegment((one) => chooseLabel(editing, one)) },
            this.swatch, this.action, element("span", { "aria-hidden": "true" }, "▾"),
        );
        this.source = element("span", { class: "source" });
        this.likely = Array.from({ length: LIKELY }, (_, k) => this.chip(k));
        this.buttons = [
            ...Object.values(SEGMENT).map((command) => this.command(command, () => editing.runOnSegment(command))),
            this.command(LANE.add, () => editing.runOnLane(LANE.add)),
        ];
        this.element = element(
            "div",
            { class: "strip", role: "toolbar", "aria-label": "Selected segment" },
            element("div", { class: "strip-labels" }, this.label, this.source, ...this.likely.map(({ chip }) => chip)),
            element("div", { class: "strip-acts" }, ...this.buttons.map(({ act }) => act)),
            review,
        );
        for (const name of ["timeline", "segments", "selection", "theme"]) model.addEventListener(name, () => this.show());
        model.addEventListener("time", () => this.later());
        this.show();
    }

    chip(k) {
        const name = element("span", { class: "label" });
        const share = element("span", { class: "share" });
        const choose = () => this.editing.onSegment((one) => chooseLikely(this.editing, one, k));
        const chip = element(
            "button", { type: "button", class: "chip", onclick: choose }, element("kbd", { "aria-hidden": "true" }, String(k + 1)), name, share,
        );
        return { chip, name, share };
    }

    command(command, run) {
        const act = button(command.title, command.label, run, { title: `${command.title} (${command.key})`, class: "act" });
        act.setAttribute("aria-keyshortcuts", command.key === "Del" ? "Delete" : command.key);
        return { command, act };
    }

    // Below the label, for pickers.
    place() {
        return this.label.getBoundingClientRect();
    }

    show() {
        const { editing } = this;
        const one = editing.selected;
        this.element.hidden = Boolean(editing.model.timeline?.readOnly);
        this.element.classList.toggle("none", !one);
        this.label.disabled = !one;
        this.action.textContent = one ? one.action : "Select a segment to correct it";
        this.label.title = one ? `${one.lane.title}: ${one.action}, ${clock(one.startS)} to ${clock(one.endS)}. Choose another label (R)` : "";
        this.swatch.style.background = one?.color ?? "transparent";
        this.source.textContent = one ? sourceOf(one) : "";
        this.showLikely(one);
        this.showButtons();
    }

    async showLikely(one) {
        this.shown = one;
        if (!one) return this.offer([], null);
        let likely = [];
        try {
            likely = await this.editing.model.likely(one.row);
        } catch {
            // the picker says why
        }
        return this.shown === one && this.offer(likely, one);
    }

    offer(likely, one) {
        this.likely.forEach(({ chip, name, share }, k) => {
            const [label, probability] = likely[k] ?? ["", null];
            const isNow = label !== "" && label === one?.action;
            name.textContent = label;
            share.textContent = probability === null ? "" : percent(probability);
            chip.disabled = !label;
            chip.setAttribute("aria-pressed", String(isNow));
            chip.classList.toggle("close", label !== "" && label === one?.second);
            chip.title = label && `${label}, ${percent(probability)} (${k + 1})${isNow ? ": right, mark as checked" : ""}`;
        });
    }

    // While the video plays, a few times a second are enough.
    later() {
        this.timer ??= setTimeout(() => {
            this.timer = null;
            this.showButtons();
        }, 100);
    }

    showButtons() {
        const { editing } = this;
        const one = editing.selected;
        for (const { command, act } of this.buttons) {
            const target = command === LANE.add ? editing.selectedLane : one;
            // not `disabled`: that loses the focus, and a click should say why
            act.setAttribute("aria-disabled", String(!target || Boolean(command.off?.(editing, target))));
            if (command.isOn) act.setAttribute("aria-pressed", String(Boolean(one && command.isOn(one))));
        }
    }

    end() {
        clearTimeout(this.timer);
    }
}

function sourceOf(one) {
    const source = one.source === "human" ? "corrected by you" : percent(one.confidence);
    return one.checked ? `✓ ${source}` : source;
}
