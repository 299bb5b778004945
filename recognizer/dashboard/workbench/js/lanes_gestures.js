// What a pointer that is held down does: each gesture has `move`, `end` and `cancel`.

import { grabbedEdge, snapped, snappedTime } from "./lanes_edges.js";

const CLICK_PX = 4; // a pointer that moved further drags

class Gesture {
    isMoved = false;
    holdsRows = false; // whether it is about a segment or a lane by its number

    constructor(lanes, point) {
        Object.assign(this, { lanes, from: point });
    }

    move(point) {
        this.isMoved ||= Math.hypot(point.x - this.from.x, point.y - this.from.y) > CLICK_PX;
        if (this.isMoved) this.drag(point);
    }

    end(point) {
        if (this.isMoved) this.drop(point);
        else this.click(point);
    }

    drag() {}
    drop() {}
    click() {}
    cancel() {}
}

// On a lane: the video is at the pointer; a click also selects.
export class Scrub extends Gesture {
    constructor(lanes, point) {
        super(lanes, point);
        // a finger may be about to scroll
        if (point.type !== "touch") lanes.navigation.seek(point.timeS);
    }

    drag(point) {
        this.lanes.navigation.seek(point.timeS);
    }

    click(point) {
        if (this.from.type === "touch") this.lanes.navigation.seek(point.timeS);
        this.lanes.selection.selectAt(this.from.laneIndex, this.from.timeS);
    }
}

// On the axis: move the view; where everything is in view, the video instead.
export class AxisPan extends Gesture {
    constructor(lanes, point) {
        super(lanes, point);
        this.startS = lanes.view.startS;
    }

    drag(point) {
        const { view, navigation } = this.lanes;
        if (view.isZoomed) navigation.change(() => view.pan(this.startS - view.startS - (point.x - this.from.x) / view.pxPerS));
        else navigation.seek(point.timeS);
    }

    click(point) {
        this.lanes.navigation.seek(point.timeS);
    }
}

// On a title: select the person, or drag it onto another: the two are one.
export class TitlePress extends Gesture {
    holdsRows = true;

    drag(point) {
        const [person, other] = [this.from, point].map(({ laneIndex }) => this.lanes.model.shownLanes[laneIndex]?.personId);
        const isOther = point.laneIndex >= 0 && other !== person;
        this.onto = isOther && this.lanes.canEdit && point.type !== "touch" ? point.laneIndex : null;
        this.lanes.preview({ merge: this.onto === null ? null : { laneIndex: this.from.laneIndex, onto: this.onto } });
    }

    drop(point) {
        this.cancel();
        if (this.onto === null) return;
        this.lanes.emit("merge", { laneIndex: this.from.laneIndex, onto: this.onto, x: point.clientX, y: point.clientY });
    }

    click() {
        this.lanes.selection.selectAt(this.from.laneIndex, null);
    }

    cancel() {
        this.lanes.preview({ merge: null });
    }
}

// On an edge: show where it would lie, and say so in the end.
export class EdgeDrag extends Gesture {
    holdsRows = true;

    constructor(lanes, point, edge) {
        super(lanes, point);
        this.edge = edge;
    }

    drag(point) {
        const { lanes, edge } = this;
        const moved = edge.atS + (point.freeS - this.from.freeS);
        this.toS = snapped(lanes.model, edge, moved, lanes.view, point.isFree);
        lanes.preview({ edge: { ...edge, toS: this.toS } });
    }

    drop() {
        const { row, side, atS } = this.edge;
        if (this.toS === atS) {
            this.cancel();
            return;
        }
        this.lanes.keepPreview();
        this.lanes.emit("edge-drag", { row, side, toS: this.toS });
    }

    click(point) {
        new Scrub(this.lanes, this.from).end(point);
    }

    cancel() {
        this.lanes.preview({ edge: null });
    }
}

// With shift: mark a stretch of one lane.
export class Stretch extends Gesture {
    holdsRows = true;

    drag(point) {
        const { model, view } = this.lanes;
        const { laneIndex } = this.from;
        const ends = [this.from, point].map((one) => snappedTime(model, laneIndex, one.timeS, view, point.isFree));
        this.stretch = { laneIndex, startS: Math.min(...ends), endS: Math.max(...ends) };
        this.lanes.preview({ stretch: this.stretch });
    }

    drop(point) {
        if (this.stretch.endS > this.stretch.startS) {
            this.lanes.emit("stretch", { ...this.stretch, x: point.clientX, y: point.clientY });
        } else this.cancel();
    }

    click(point) {
        new Scrub(this.lanes, this.from).end(point);
    }

    cancel() {
        this.lanes.preview({ stretch: null });
    }
}

// Two fingers: the times under them stay under them.
export class Pinch {
    constructor(lanes, points) {
        this.lanes = lanes;
        this.timesS = points.map((one) => one.freeS);
        this.least = 8;
    }

    moveBoth([one, other]) {
        const { view, layout, navigation } = this.lanes;
        const [firstS, secondS] = this.timesS;
        const px = other.x - one.x;
        if (Math.abs(px) < this.least || firstS === secondS) return;
        const sPerPx = Math.abs((secondS - firstS) / px);
        const startS = (firstS + secondS) / 2 - ((one.x + other.x) / 2 - layout.titlePx) * sPerPx;
        navigation.change(() => view.show(startS, startS + sPerPx * view.widthPx));
    }
}

// Return the gesture that begins where a pointer is pressed; null if nothing is there.
export function gestureAt(lanes, point) {
    if (point.zone === "axis") return new AxisPan(lanes, point);
    if (point.zone === "title") return new TitlePress(lanes, point);
    if (point.zone !== "lane") return null;
    if (!lanes.canEdit) return new Scrub(lanes, point);
    if (point.isShifted || lanes.marksStretches) return new Stretch(lanes, point);
    const edge = edgeAt(lanes, point);
    return edge ? new EdgeDrag(lanes, point, edge) : new Scrub(lanes, point);
}

export function edgeAt(lanes, point) {
    if (!lanes.canEdit || point.zone !== "lane" || lanes.model.shownLanes[point.laneIndex].readOnly) return null;
    return grabbedEdge(lanes.model, point.laneIndex, point.freeS, lanes.view, point.type);
}
