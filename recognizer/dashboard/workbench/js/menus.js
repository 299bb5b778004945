// The menus of a segment, a person, and a stretch of time.

import { LANE, SEGMENT } from "./commands.js";
import { clock, percent } from "./dom.js";
import * as edits from "./edits.js";
import { add, chooseLabel, relabel } from "./segment_acts.js";

// likely: the machine's top labels with probabilities, best first
export function segmentMenu(editing, one, likely, at) {
    const labels = likely.map(([label, probability], k) => ({
        label,
        share: percent(probability),
        key: String(k + 1),
        isChecked: label === one.action,
        run: () => editing.onSegment((now) => relabel(editing, now, label)),
    }));
    const other = { label: "Other label…", key: "R", run: () => editing.onSegment((now) => chooseLabel(editing, now, at)) };
    const person = { label: `${one.lane.title}…`, run: () => editing.openLaneMenu(one.lane, at) };
    const source = one.source === "human" ? "corrected by you" : percent(one.confidence);
    const { start, end, cut, joinBefore, joinAfter, remove, check, restore } = SEGMENT;
    const item = (command) => itemOf(editing, command, one, () => editing.runOnSegment(command));
    return [
        { heading: `${clock(one.startS)} to ${clock(one.endS)}, ${source}` }, ...labels, other, "-",
        ...[start, end, cut].map(item), "-", ...[joinBefore, joinAfter, remove].map(item), "-",
        { ...item(check), label: one.checked ? "No longer checked" : "Mark as checked" }, item(restore), "-", person,
    ];
}

export function laneMenu(editing, lane, at) {
    const { name, merge, split, add: addHere, checkAll, restoreAll, hide } = LANE;
    const item = (command) => itemOf(editing, command, lane, () => editing.runOnLane(command, lane, at));
    const areChecked = editing.shown([lane]).every((one) => one.checked);
    return [
        { heading: lane.title }, ...[name, merge, split].map(item), "-", item(addHere),
        { ...item(checkAll), label: areChecked ? "Check none" : "Check all in view" }, item(restoreAll), "-", item(hide),
    ];
}

// stretch: {lane, startS, endS}
export function stretchMenu(editing, stretch, at) {
    const item = (label, work) => ({ label, run: () => editing.next(work) });
    return [
        { heading: `${stretch.lane.title}, ${clock(stretch.startS)} to ${clock(stretch.endS)}` },
        item("Add a segment…", () => add(editing, stretch, at)),
        item("Mark as checked", () => editing.store(edits.check(stretch), "Checked")),
        item("Delete what is there", () => editing.store(edits.remove(stretch), "Deleted")),
        item("Back to the machine’s", () => editing.store(edits.restore(stretch), "Back to the machine’s")),
    ];
}

function itemOf(editing, command, target, run) {
    const why = command.off?.(editing, target) ?? null;
    return { label: command.words ?? command.label, key: command.key, isOff: why !== null, why, run };
}
