// What a user does to people: merge, split, hide, name.

import { segmentsOf } from "./around.js";
import { clock, seconds } from "./dom.js";
import * as edits from "./edits.js";
import { peopleToFind } from "./labels.js";
import { pick } from "./picker.js";
import { askName } from "./renaming.js";

// When a person's number changes, the old one often stays for a moment beside the new one: not worth a remark.
const OVERLAP_S = 0.5;

export async function chooseMerge(editing, lane, at = editing.placeOf(lane)) {
    const { model } = editing;
    const others = model.timeline.lanes.filter(({ personId, readOnly }) => personId !== lane.personId && !readOnly);
    const into = await pick(editing.root, `${lane.title} is the same person as`, at, {
        find: peopleToFind(model, others),
        placeholder: "Search people",
    });
    if (into) await merge(editing, lane, into);
}

export async function merge(editing, lane, into) {
    const bothS = sharedS(lane.presence, into.presence);
    const said = `${lane.title} is ${into.title}`;
    const isStored = await editing.store(edits.merge(lane, into), said, editing.model.timeS, into.personId);
    if (isStored && bothS > OVERLAP_S) {
        editing.voice.note(`${said}; both are in view for ${seconds(bothS)}, where the box of ${into.title} counts.`);
    }
}

function sharedS(one, other) {
    let totalS = 0;
    for (let k = 0, j = 0; k < one.length && j < other.length;) {
        totalS += Math.max(0, Math.min(one[k][1], other[j][1]) - Math.max(one[k][0], other[j][0]));
        if (one[k][1] < other[j][1]) k++;
        else j++;
    }
    return totalS;
}

export function split(editing, lane) {
    const { model, playheadS: atS } = editing;
    const newId = model.timeline.nextPersonId;
    return editing.store(edits.split(lane, atS, newId), `From ${clock(atS)} on, this is person ${newId}`, atS, newId);
}

export function hide(editing, lane) {
    return editing.store(edits.hide(lane.personId, true), `${lane.title} is hidden`);
}

export function unhide(editing, { personId, title }) {
    return editing.store(edits.hide(personId, false), `${title} is shown again`, editing.model.timeS, personId);
}

export async function rename(editing, lane, at = null) {
    const text = await askName(editing.root, lane, at?.left ? at : editing.placeOf(lane));
    if (text === null || text === lane.title) return;
    await editing.store(edits.name(lane, text), text ? `Named ${text}` : "The name is gone");
}

export function restoreAll(editing, lane) {
    const { durationS } = editing.model.timeline.video;
    const endS = Math.max(durationS ?? 0, 1, ...segmentsOf(editing.model, [lane]).map((one) => one.endS));
    return editing.store(edits.restore({ lane, startS: 0, endS }), "Back to the machine’s");
}
