// One line of buttons for the selected segment: its label, the likely labels with their numbers, and what can be done.

import { Chips } from "./chips.js";
import { LANE, SEGMENT } from "./commands.js";
import { button, clock, element, asProbability } from "./dom.js";
import { chooseLabel } from "./segment_acts.js";

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
        this.name = element("span", { class: "label" });
        this.person = element(
            "button",
            { type: "button", class: "person-now", "aria-haspopup": "menu", onclick: () => this.openPerson() },
            this.name, element("span", { "aria-hidden": "true" }, "▾"),
        );
        this.marking = button("Select time", "Select time", () => this.mark(), {
            class: "act", title: "Drag over a lane to select a stretch of time in it (or hold Shift)", "aria-pressed": "false",
        });
        this.chips = new Chips(editing);
        const ofSegment = (command) => this.command(command, () => editing.runOnSegment(command));
        const { teach, alike, ...corrections } = SEGMENT;
        const own = [teach, alike].map(ofSegment);
        const acts = [...Object.values(corrections).map(ofSegment), this.command(LANE.add, () => editing.runOnLane(LANE.add))];
        this.buttons = [...acts, ...own];
        this.element = element(
            "div",
            { class: "strip", role: "toolbar", "aria-label": "Selected segment" },
            element("div", { class: "strip-labels" }, this.person, this.label, this.source, this.chips.element),
            element("div", { class: "strip-acts" }, ...acts.map(({ act }) => act), this.marking),
            element("div", { class: "strip-more" }, ...own.map(({ act }) => act), review),
        );
        for (const name of ["timeline", "segments", "seconds", "selection", "theme"]) model.addEventListener(name, () => this.show());
        model.addEventListener("time", () => this.later());
        this.show();
    }

    command(command, run) {
        const act = button(command.label, command.label, run, { title: `${command.title} (${command.key})`, class: "act" });
        act.setAttribute("aria-keyshortcuts", command.key === "Del" ? "Delete" : command.key);
        return { command, act };
    }

    openPerson() {
        const lane = this.editing.selectedLane;
        if (lane) this.editing.menus.openLane(lane, this.person.getBoundingClientRect());
    }

    mark() {
        const { lanes } = this.editing;
        lanes.marksStretches = !lanes.marksStretches;
        this.marking.setAttribute("aria-pressed", String(lanes.marksStretches));
        if (lanes.marksStretches) this.editing.voice.note("Drag over a lane to select a stretch of time in it.");
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
        const lane = editing.selectedLane;
        this.label.disabled = !one;
        this.person.disabled = !lane;
        this.name.textContent = lane?.title ?? "Nobody";
        this.person.title = lane ? `What can be done with ${lane.title}` : "";
        this.label.setAttribute("aria-label", one ? `Label: ${one.action}` : "No segment is selected");
        this.action.textContent = one ? one.action : "Select a segment to correct it";
        this.label.title = one ? `${one.lane.title}: ${one.action}, ${clock(one.startS)} to ${clock(one.endS)}. Choose another label (R)` : "";
        this.swatch.style.background = one?.color ?? "transparent";
        this.source.textContent = one ? sourceOf(one) : "";
        this.chips.show(one);
        this.showButtons();
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
    const source = one.source === "human" ? "corrected by you" : asProbability(one.confidence);
    return one.checked ? `✓ ${source}` : source;
}
