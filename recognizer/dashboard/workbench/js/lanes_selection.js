// The selected segment or lane, and the card of what a pointer, a finger or a key has reached.

const NEAR_PX = 3; // a click next to a very short segment means it

export class Selection {
    isReloading = false;

    constructor(lanes) {
        this.lanes = lanes;
        this.model = lanes.model;
    }

    // Other segments have come: a selection that only follows them does not move the view.
    reloads() {
        this.isReloading = true;
        queueMicrotask(() => { this.isReloading = false; });
    }

    // The row at a time of a lane, or the one within a few px; null if there is none.
    rowNear(laneIndex, timeS) {
        const { model } = this;
        if (!model.segments || laneIndex < 0) return null;
        const nearS = NEAR_PX / this.lanes.view.pxPerS;
        return model.rowAt(laneIndex, timeS) ?? model.rowAt(laneIndex, timeS - nearS) ?? model.rowAt(laneIndex, timeS + nearS);
    }

    // Select the segment at a time of a lane; without one, or without a time, only the lane.
    selectAt(laneIndex, timeS) {
        const row = timeS === null ? null : this.rowNear(laneIndex, timeS);
        if (row === null) this.model.selectLane(this.model.shownLanes[laneIndex].key);
        else this.model.select(row);
    }

    changed() {
        const { model, lanes } = this;
        lanes.scene.selectLane(model.selectedLane);
        lanes.reader.update();
        lanes.reader.point();
        lanes.moved();
        if (this.isReloading) return;
        this.reveal();
        if (model.selection !== null && lanes.pointer.lastType !== "mouse") this.describe(model.selection);
    }

    // Bring the selected lane and segment into view.
    reveal() {
        const { model, lanes: { layout, scroll } } = this;
        const index = model.laneIndex(model.selectedLane);
        if (index < 0) return;
        layout.scrollPx = layout.scrollTo(index);
        scroll.scrollTop = layout.scrollPx;
        if (model.selection === null) return;
        const { startS, endS } = model.segment(model.selection);
        this.lanes.navigation.reveal(startS, endS);
    }

    // Show the card of a row next to it: for fingers and keys, which do not hover.
    describe(row) {
        const { view, layout } = this.lanes;
        const { laneIndex, startS, endS } = this.model.segment(row);
        const box = this.lanes.stage.getBoundingClientRect();
        const middleS = (Math.max(startS, view.startS) + Math.min(endS, view.startS + view.spanS)) / 2;
        const clientX = box.left + layout.titlePx + view.xOf(middleS);
        const clientY = box.top + layout.top(laneIndex) + layout.lanePx / 2;
        this.lanes.hover.show({ row, laneIndex, timeS: middleS, endS: view.endS, clientX, clientY });
    }

    // Show what lies at a point, or nothing.
    hoverAt(point) {
        const { lanes } = this;
        const isLane = point?.zone === "lane" && Boolean(this.model.segments);
        const movement = isLane && lanes.layout.isOnLine(point.y) ? lanes.scene.movementAt(point.laneIndex, point.timeS) : null;
        const row = isLane && !movement ? this.rowNear(point.laneIndex, point.timeS) : null;
        if (row !== lanes.marks.hover) {
            lanes.marks.hover = row;
            lanes.invalidateMarks();
        }
        if (isLane) lanes.hover.show({ ...point, row, movement, endS: lanes.view.endS });
        else lanes.hover.hide();
    }

    // Select what lies at a point, and ask for its menu.
    openMenu({ laneIndex, timeS, zone, clientX, clientY }) {
        const row = zone === "lane" ? this.rowNear(laneIndex, timeS) : null;
        this.selectAt(laneIndex, row === null ? null : timeS);
        this.lanes.hover.hide();
        const place = { timeS, x: clientX, y: clientY };
        if (row === null) this.lanes.emit("lane-menu", { laneIndex, ...place });
        else this.lanes.emit("segment-menu", { row, ...place });
    }
}
