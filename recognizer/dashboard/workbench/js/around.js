// What lies around the playhead and the selection.

// The start of the frame that is shown.
export function playheadOf({ frames, timeS }) {
    let [low, high] = [0, frames.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if (frames[middle] <= timeS) low = middle + 1;
        else high = middle;
    }
    return low ? frames[low - 1] : timeS;
}

// The person's segments before and after one; null where there is none.
export function neighborsOf(model, { row, laneIndex }) {
    const [first, past] = model.rowsOf(laneIndex);
    return {
        before: row > first ? model.segment(row - 1) : null,
        after: row + 1 < past ? model.segment(row + 1) : null,
    };
}

// The segments of lanes in view, by lane, then by time.
export function segmentsOf(model, lanes) {
    return lanes.flatMap((lane) => {
        const [first, past] = model.rowsOf(model.laneIndex(lane.key));
        return Array.from({ length: past - first }, (_, k) => model.segment(first + k));
    });
}

// The lane of the card in the list of people that an event is about.
export function laneOf(model, event) {
    const card = event.target.closest?.("[data-lane]");
    return card ? model.timeline?.lanes.find(({ key }) => key === card.dataset.lane) : null;
}

export const NONE_OF_THESE = "none of these";

// The examples of the user's own actions that a stretch overlaps.
export function taughtIn({ lane, startS, endS }) {
    return lane.taught.filter((one) => one.startS < endS && one.endS > startS);
}

// The machine's likely labels of a row, the most probable first: their numbers stay when another is chosen.
export async function likelyOf(model, row) {
    const likely = await model.likely(row);
    return likely.toSorted(([, one], [, other]) => other - one);
}
