// What a user does to segments: choose a label, move an edge, add, check.

import { likelyOf, neighborsOf, segmentsOf } from "./around.js";
import { clock, percent } from "./dom.js";
import * as edits from "./edits.js";
import { labelsToFind } from "./labels.js";
import { pick } from "./picker.js";

const ADDED_S = 2; // the length of a segment that is added at the playhead, if nothing ends it before

export function moveEdge(editing, one, side, toS) {
    const edit = edits.moveEdge(one, side, toS, neighborsOf(editing.model, one));
    if (!edit) return editing.voice.note(`The ${side} would pass the segment’s other end.`);
    const middleS = ((side === "start" ? toS : one.startS) + (side === "end" ? toS : one.endS)) / 2;
    return editing.store(edit, `The ${side} is at ${clock(toS)}`, middleS);
}

export async function relabel(editing, one, action) {
    if (action !== one.action) {
        if (await editing.store(edits.relabel(one, action), `Now ${action}`)) await editing.teaching.offer(one, action);
    } else if (!one.checked) {
        await editing.store(edits.check(one), `Checked: ${action}`); // the label that is there already is right
    }
}

export async function chooseLikely(editing, one, index) {
    const likely = await likelyLabels(editing, one.row);
    if (!likely) return;
    if (likely[index]) await relabel(editing, one, likely[index][0]);
    else editing.voice.note(`The machine has no label ${index + 1} here.`);
}

export async function chooseLabel(editing, one, at = editing.strip.place()) {
    const action = await askLabel(editing, `Label of ${clock(one.startS)} to ${clock(one.endS)}`, at, one);
    if (action) await relabel(editing, one, action);
}

// Null if the server does not say; then the user has been told.
export async function likelyLabels(editing, row) {
    try {
        return await likelyOf(editing.model, row);
    } catch (error) {
        editing.model.emit("problem", { message: error.message });
        return null;
    }
}

// At the playhead, up to the next edge, the end of the visit, or two seconds on.
export function addHere(editing, lane, at = editing.strip.place()) {
    const { model, playheadS: startS } = editing;
    const edges = [startS + ADDED_S, ...lane.presence.flat()];
    for (const one of segmentsOf(model, [lane])) edges.push(one.startS, one.endS);
    const { durationS } = model.timeline.video;
    if (durationS > startS) edges.push(durationS);
    const endS = Math.min(...edges.filter((edgeS) => edgeS - startS > edits.TOUCHING_S));
    return add(editing, { lane, startS, endS }, at);
}

export async function add(editing, { lane, startS, endS }, at) {
    const action = await askLabel(editing, `Add ${clock(startS)} to ${clock(endS)}`, at);
    if (!action || !await editing.store(edits.add({ lane, startS, endS }, action), `Added ${action}`)) return;
    await editing.teaching.offer({ lane, startS, endS }, action);
}

// Check the segments of lanes in view; if all are checked, take that back.
export function checkAll(editing, lanes) {
    const all = segmentsOf(editing.model, lanes.filter(({ readOnly }) => !readOnly));
    const open = all.filter((one) => !one.checked);
    const stretches = stretchesOf(open.length ? open : all);
    if (!stretches.length) return editing.voice.note("There are no segments.");
    const edit = edits.together(stretches.map((one) => edits.check(one, open.length > 0)));
    const said = open.length ? `Checked ${open.length} ${open.length === 1 ? "segment" : "segments"}` : "No longer checked";
    return editing.store(edit, said);
}

// How far the review is: {text, isDone}.
export function progress(model) {
    const { startS, endS, checked } = model.segments;
    const rows = Array.from(startS.keys()).filter((row) => model.isEditable(row));
    let [count, timeS, allS] = [0, 0, 0];
    for (const row of rows) {
        const lengthS = endS[row] - startS[row];
        allS += lengthS;
        if (checked[row]) [count, timeS] = [count + 1, timeS + lengthS];
    }
    const share = count === rows.length ? 1 : Math.min(0.99, allS ? timeS / allS : 0); // 100 % only when all are
    return { text: `checked ${count} of ${rows.length} segments, ${percent(share)} of the time`, isDone: share === 1 };
}

async function askLabel(editing, title, at, one = null) {
    const likely = (one && await likelyLabels(editing, one.row)) ?? [];
    const find = labelsToFind(editing.model, { likely, now: one?.action });
    return pick(editing.root, title, at, { find, placeholder: "Search, or type a label of your own" });
}

// Segments that touch, as one stretch.
function stretchesOf(segments) {
    const stretches = [];
    for (const { lane, startS, endS } of segments) {
        const last = stretches.at(-1);
        if (last?.lane === lane && edits.touches(last, { startS })) last.endS = endS;
        else stretches.push({ lane, startS, endS });
    }
    return stretches;
}
