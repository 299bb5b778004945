// Which edge of a segment a pointer grabs, how far it may be moved, and where it snaps.

const GRAB_PX = { mouse: 5, pen: 5, touch: 14 };
const SNAP_PX = 6;
const LEAST_S = 0.04; // what must remain of a segment: a frame at 25 frames/s
const TOUCHING_S = 1e-6; // as in recognizer/types.py

// Return `{row, side, atS, leastS, mostS}`: the edge that is grabbed at a time in a lane; null if none is near.
// The selected segment's edges can be grabbed from both sides, others from inside, where they leave room for a click.
export function grabbedEdge(model, laneIndex, timeS, view, pointerType) {
    const reachPx = GRAB_PX[pointerType] ?? GRAB_PX.mouse;
    const { startS, endS } = model.segments;
    const [first, past] = model.rowsOf(laneIndex);
    const under = model.rowAt(laneIndex, timeS);
    const rows = [model.selection, pointerType === "touch" ? null : under];
    let nearest = null;
    for (const row of rows) {
        if (row === null || row < first || row >= past) continue;
        const roomPx = row === model.selection ? reachPx : Math.min(reachPx, ((endS[row] - startS[row]) * view.pxPerS) / 4);
        for (const [side, atS] of [["start", startS[row]], ["end", endS[row]]]) {
            const distancePx = Math.abs(timeS - atS) * view.pxPerS;
            if (distancePx <= roomPx && distancePx < (nearest?.distancePx ?? Infinity)) nearest = { row, side, atS, distancePx };
        }
    }
    return nearest && { ...nearest, laneIndex, ...reach(model, nearest, view) };
}

// How far an edge may go: something of its own segment remains, and the neighbour limits the other side.
function reach({ segments }, { row, side }, view) {
    const startS = segments.startS[row];
    const endS = segments.endS[row];
    if (side === "end") return { leastS: Math.min(startS + LEAST_S, endS), mostS: Math.max(endS, limitAfter(segments, row, view)) };
    return { leastS: Math.min(startS, limitBefore(segments, row, view)), mostS: Math.max(endS - LEAST_S, startS) };
}

// Up to the next segment; if both meet and share the edge, something of that one remains.
function limitAfter({ startS, endS, lane }, row, view) {
    const next = row + 1;
    if (lane[next] !== lane[row]) return view.endS;
    return startS[next] - endS[row] < TOUCHING_S ? endS[next] - LEAST_S : startS[next];
}

function limitBefore({ startS, endS, lane }, row, view) {
    const before = row - 1;
    if (lane[before] !== lane[row]) return view.beginS;
    return startS[row] - endS[before] < TOUCHING_S ? startS[before] + LEAST_S : endS[before];
}

// Return where an edge lies that has been dragged to a time: within its reach, on the playhead or another edge if near.
export function snapped(model, edge, toS, view, isFree) {
    const { startS, endS, lane } = model.segments;
    const near = [edge.row - 1, edge.row + 1].filter((row) => lane[row] === edge.laneIndex);
    const targets = [model.timeS, edge.atS, ...near.flatMap((row) => [startS[row], endS[row]])];
    const nearest = nearestOf(targets.filter((one) => one >= edge.leastS && one <= edge.mostS), toS);
    const isNear = nearest !== null && Math.abs(nearest - toS) * view.pxPerS <= SNAP_PX;
    return Math.max(edge.leastS, Math.min(edge.mostS, isNear && !isFree ? nearest : toMs(toS)));
}

// Return where a stretch may begin or end: at the playhead or an edge of the lane if near.
export function snappedTime(model, laneIndex, timeS, view, isFree) {
    const row = model.rowBefore(laneIndex, timeS);
    const { startS, endS } = model.segments;
    const past = model.rowsOf(laneIndex)[1];
    const rows = [row, row === null ? model.rowsOf(laneIndex)[0] : row + 1].filter((one) => one !== null && one < past);
    const nearest = nearestOf([model.timeS, ...rows.flatMap((one) => [startS[one], endS[one]])], timeS);
    return !isFree && Math.abs(nearest - timeS) * view.pxPerS <= SNAP_PX ? nearest : toMs(timeS);
}

const toMs = (timeS) => Math.round(timeS * 1000) / 1000;

function nearestOf(times, timeS) {
    let nearest = null;
    for (const one of times) if (nearest === null || Math.abs(one - timeS) < Math.abs(nearest - timeS)) nearest = one;
    return nearest;
}
