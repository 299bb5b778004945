// What the canvas shows, in the form in which it is drawn: lanes of spans, colours, names.

import { Spans } from "./lanes_index.js";
import { ActionFills, Theme } from "./lanes_theme.js";

const EMPTY_SHARE = 0.5; // the axis begins with the first picture if more of it would be empty, as in plots/time_axis.py
const NONE = Spans.of([]);

export class Scene {
    lanes = []; // {key, title, classifier, isSelected, presence, movement, checked, taught, segments}
    style = null; // what depends on the colours of the page
    beginS = 0;
    endS = 1;

    readLanes({ timeline, segments, shownLanes, selectedLane }) {
        const { video, analysedS, complete } = timeline;
        const lastS = Math.max(0, ...shownLanes.map(({ presence }) => presence.at(-1)?.[1] ?? 0));
        this.endS = Math.max(analysedS, video.durationS ?? 0, lastS, 0.001);
        this.beginS = video.beginsS > EMPTY_SHARE * this.endS ? video.beginsS : 0;
        this.analysedS = complete ? this.endS : analysedS;
        const rows = segments ? rowsByLane(segments) : [];
        this.segments = segments;
        this.lanes = shownLanes.map((lane, index) => ({
            key: lane.key,
            title: lane.title,
            classifier: lane.classifier ?? null, // in a comparison
            isSelected: lane.key === selectedLane,
            presence: Spans.of(lane.presence),
            movement: Spans.of(lane.movement),
            checked: Spans.of(lane.checked),
            taught: lane.taught,
            segments: rows[index] ?? NONE,
        }));
        this.isFiltered = timeline.lanes.length > 0; // if no lane is shown
        this.isHuman = timeline.readOnly ? [] : segments?.source ?? []; // a user's own labels are nobody's corrections
        this.readActions({ segments });
    }

    readActions({ segments }) {
        this.actions = segments?.actions ?? [];
    }

    selectLane(key) {
        for (const lane of this.lanes) lane.isSelected = lane.key === key;
    }

    // Take over the colours of the page, and the screen's scale for patterns.
    dress(model, scale) {
        if (this.style && this.style.scale === scale) return;
        const theme = new Theme(model.theme);
        const fills = this.segments && new ActionFills(this.segments, theme, scale);
        this.style = { theme, fills, scale };
    }

    get theme() {
        return this.style.theme;
    }

    get fills() {
        return this.style.fills;
    }

    // A segment's name: its action, and the second one if it is nearly as probable.
    nameOf(row) {
        const { action, second } = this.segments;
        const name = this.actions[action[row]];
        return second[row] < 0 ? name : `${name} or ${this.actions[second[row]]}`;
    }

    // The stretch of movement at a time as [startS, endS, kind]; null if there is none.
    movementAt(lane, timeS) {
        const { movement } = this.lanes[lane];
        const k = movement.at(timeS);
        return k < 0 ? null : [movement.startsS[k], movement.endsS[k], movement.kinds[k]];
    }
}

// The segments of each lane, as parts of three long columns.
function rowsByLane({ lanes, lane, startS, endS, action }) {
    const startsS = Float64Array.from(startS);
    const endsS = Float64Array.from(endS);
    const kinds = Int32Array.from(action);
    let first = 0;
    return lanes.map((_, index) => {
        let past = first;
        while (past < lane.length && lane[past] === index) past += 1;
        const spans = new Spans(startsS.subarray(first, past), endsS.subarray(first, past), kinds.subarray(first, past), first);
        first = past;
        return spans;
    });
}
