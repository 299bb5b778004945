// The menus of a segment, a person, and a stretch of time, and what opens them.

import { showAlike } from "./alike.js";
import { laneOf, segmentsOf, taughtIn } from "./around.js";
import { LANE, SEGMENT } from "./commands.js";
import { clock, asProbability } from "./dom.js";
import * as edits from "./edits.js";
import { openMenu } from "./menu.js";
import { offerMerge } from "./merging.js";
import { add, chooseLabel, likelyLabels, relabel } from "./segment_acts.js";
import { nameOf } from "./teaching.js";

export class Menus {
    constructor(root, editing) {
        const { model, lanes } = editing;
        Object.assign(this, { root, editing, model, lanes });
        const on = (place, type, act) => place.addEventListener(type, (event) => editing.isOff || act(event));
        on(lanes.host, "segment-menu", ({ detail: { row, x, y } }) => this.openSegment(row, { x, y }));
        on(lanes.host, "lane-menu", ({ detail: { laneIndex, x, y } }) => this.openLane(model.shownLanes[laneIndex], { x, y }));
        on(lanes.host, "stretch", ({ detail }) => this.openStretch(detail));
        on(lanes.host, "merge", ({ detail: { laneIndex, onto, x, y } }) => {
            offerMerge(editing, model.shownLanes[laneIndex], model.shownLanes[onto], { x, y });
        });
        on(root, "contextmenu", (event) => this.openCard(event));
        on(root, "dblclick", (event) => this.renameAt(event));
    }

    openSegment(row, at) {
        const { editing, model } = this;
        model.select(row);
        return editing.onSegment(async (one) => {
            const items = segmentMenu(editing, one, await likelyLabels(editing, one.row) ?? [], at);
            await openMenu(this.root, `${one.lane.title}, ${one.action}`, at, items);
        }, row, false);
    }

    openLane(shown, at) {
        const { editing, model } = this;
        const lane = model.editableLane(shown);
        if (model.selectedLane !== lane.key) model.selectLane(lane.key);
        return editing.next(() => openMenu(this.root, lane.title, at, laneMenu(editing, lane, at)));
    }

    async openStretch({ laneIndex, startS, endS, x, y }) {
        const { editing, model } = this;
        const stretch = { lane: model.shownLanes[laneIndex], startS, endS };
        await editing.next(() => openMenu(this.root, stretch.lane.title, { x, y }, stretchMenu(editing, stretch, { x, y })));
        await editing.queue; // it stays marked while its name is asked for
        this.lanes.preview({ stretch: null });
    }

    // On a person in the list.
    openCard(event) {
        const lane = laneOf(this.model, event);
        if (!lane) return;
        event.preventDefault();
        this.openLane(lane, event.clientX ? { x: event.clientX, y: event.clientY } : this.editing.placeOf(lane));
    }

    // A double click on a name.
    renameAt(event) {
        const { lanes, model } = this;
        const point = lanes.stage.contains(event.target) ? lanes.pointer.point(event) : null;
        const isName = point ? point.zone === "title" : event.target.matches?.("[data-lane] .name");
        const lane = point ? model.shownLanes[point.laneIndex] : laneOf(model, event);
        if (isName && lane) this.editing.runOnLane(LANE.name, lane, point && { left: point.clientX, top: point.clientY });
    }
}

// likely: the machine's top labels with probabilities, best first
function segmentMenu(editing, one, likely, at) {
    const labels = likely.map(([label, probability], k) => ({
        label,
        share: asProbability(probability),
        key: String(k + 1),
        isChecked: label === one.action,
        run: () => editing.onSegment((now) => relabel(editing, now, label)),
    }));
    const other = { label: "Other label…", key: "R", run: () => editing.onSegment((now) => chooseLabel(editing, now, at)) };
    const person = { label: `${one.lane.title}…`, run: () => editing.menus.openLane(one.lane, at) };
    const source = one.source === "human" ? "corrected by you" : asProbability(one.confidence);
    const { start, end, cut, joinBefore, joinAfter, remove, check, restore, teach, alike } = SEGMENT;
    const item = (command) => itemOf(editing, command, one, () => editing.runOnSegment(command));
    if (one.lane.readOnly) return [{ heading: `${clock(one.startS)} to ${clock(one.endS)}, ${source}` }, ...[teach, alike].map(item)];
    return [
        { heading: `${clock(one.startS)} to ${clock(one.endS)}, ${source}` }, ...labels, other, "-",
        ...[teach, alike].map(item), ...forgetItems(editing, one), "-", ...[start, end, cut].map(item), "-", ...[joinBefore, joinAfter, remove].map(item), "-",
        { ...item(check), label: one.checked ? "No longer checked" : "Mark as checked" }, item(restore), "-", person,
    ];
}

function laneMenu(editing, lane, at) {
    const { name, merge, split, add: addHere, checkAll, restoreAll, hide } = LANE;
    const item = (command) => itemOf(editing, command, lane, () => editing.runOnLane(command, lane, at));
    const areChecked = segmentsOf(editing.model, [lane]).every((one) => one.checked);
    return [
        { heading: lane.title }, ...[name, merge, split].map(item), "-", item(addHere),
        { ...item(checkAll), label: areChecked ? "Check none" : "Check all in view" }, item(restoreAll), "-", item(hide),
    ];
}

// stretch: {lane, startS, endS}
function stretchMenu(editing, stretch, at) {
    const item = (label, work, key) => ({ label, key, run: () => editing.next(work) });
    const always = [
        { heading: `${stretch.lane.title}, ${clock(stretch.startS)} to ${clock(stretch.endS)}` },
        item(SEGMENT.teach.words, () => editing.teaching.ask(stretch, at), SEGMENT.teach.key),
        item(SEGMENT.alike.words, () => showAlike(editing, stretch, at), SEGMENT.alike.key),
    ];
    if (stretch.lane.readOnly) return always;
    return [
        ...always, ...forgetItems(editing, stretch), "-",
        item("Add a segment…", () => add(editing, stretch, at)),
        item("Mark as checked", () => editing.store(edits.check(stretch), "Checked")),
        item("Delete what is there", () => editing.store(edits.remove(stretch), "Deleted")),
        item("Back to the machine’s", () => editing.store(edits.restore(stretch), "Back to the machine’s")),
    ];
}

function forgetItems(editing, stretch) {
    return taughtIn(stretch).map((one) => ({
        label: `No longer teach ${nameOf(one.action)}`, run: () => editing.next(() => editing.teaching.forget(one)),
    }));
}

function itemOf(editing, command, target, run) {
    const why = command.off?.(editing, target) ?? null;
    return { label: command.words ?? command.label, key: command.key, isOff: why !== null, why, run };
}
