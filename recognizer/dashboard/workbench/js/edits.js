// The edits as the server takes them (recognizer/timeline/edits.py), from what is selected.
//
// `one` is a segment as `model.segment(row)` gives it.

export const TOUCHING_S = 1e-6; // as in recognizer/types.py

function spanOf({ lane, startS, endS }) {
    return { person_id: lane.personId, start_s: startS, end_s: endS };
}

export function relabel(one, action) {
    return { edit: "relabel", ...spanOf(one), action };
}

export function add(stretch, action) {
    return { edit: "add", ...spanOf(stretch), action };
}

export function remove(one) {
    return { edit: "delete", ...spanOf(one) };
}

export function restore(one) {
    return { edit: "restore", ...spanOf(one) };
}

export function check(one, checked = true) {
    return { edit: "check", ...spanOf(one), checked };
}

export function cut(one, atS) {
    return { edit: "cut", ...spanOf(one), at_s: atS, action: one.action };
}

// One segment from the start of the first to the end of the last, with the action of `one`.
export function join(one, other) {
    const span = { lane: one.lane, startS: Math.min(one.startS, other.startS), endS: Math.max(one.endS, other.endS) };
    return { edit: "join", ...spanOf(span), action: one.action };
}

export function merge(lane, into) {
    return { edit: "merge", person_id: lane.personId, into: into.personId };
}

export function split(lane, atS, newId) {
    return { edit: "split", person_id: lane.personId, at_s: atS, new_id: newId };
}

export function hide(personId, hidden) {
    return { edit: "hide", person_id: personId, hidden };
}

export function name(lane, text) {
    return { edit: "name", person_id: lane.personId, name: text };
}

export function together(edits) {
    return edits.length === 1 ? edits[0] : { edit: "together", edits };
}

export function touches(left, right) {
    return Boolean(left && right) && right.startS - left.endS < TOUCHING_S;
}

// Move the start or the end of `one`, and of the neighbour that it touches there, to a time.
//
// Returns null if the edge would pass the segment's other end. A neighbour that the edge passes altogether is covered.
export function moveEdge(one, side, toS, { before, after }) {
    const isStart = side === "start";
    if (isStart ? toS >= one.endS - TOUCHING_S : toS <= one.startS + TOUCHING_S) return null;
    const startS = isStart ? toS : one.startS;
    const endS = isStart ? one.endS : toS;
    const [left, right] = isStart ? [touches(before, one) ? before : null, one] : [one, touches(one, after) ? after : null];
    const covers = (left && toS <= left.startS + TOUCHING_S) || (right && toS >= right.endS - TOUCHING_S);
    if (covers) return relabel({ lane: one.lane, startS, endS }, one.action);
    return {
        edit: "move_edge",
        person_id: one.lane.personId,
        at_s: isStart ? one.startS : one.endS,
        to_s: toS,
        left_start_s: left?.startS ?? null,
        left_action: left?.action ?? null,
        right_end_s: right?.endS ?? null,
        right_action: right?.action ?? null,
    };
}
