// Keys while the lanes have the focus; keys.js has those of the whole workbench.

export class LaneKeys {
    constructor(lanes, signal) {
        this.lanes = lanes;
        lanes.scroll.addEventListener("keydown", (event) => this.press(event), { signal });
        lanes.scroll.addEventListener("contextmenu", (event) => this.menu(event), { signal });
        lanes.scroll.addEventListener("blur", () => lanes.hover.hide(), { signal });
    }

    press(event) {
        if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
        if (!this.run(event.key)) return;
        event.preventDefault();
        event.stopPropagation();
    }

    // Return whether the key meant something.
    run(key) {
        const { lanes } = this;
        const { model } = lanes;
        lanes.pointer.lastType = "keys";
        if (key === "ArrowUp" || key === "ArrowDown") return this.moveLane(key === "ArrowUp" ? -1 : 1);
        if (key === "Enter") return this.selectHere();
        if (key !== "Escape") return false;
        if (lanes.pointer.escape()) return true;
        if (lanes.hover.isOpen) lanes.hover.hide();
        else if (model.selection !== null) model.selectLane(model.selectedLane);
        else return false;
        return true;
    }

    moveLane(step) {
        const { model } = this.lanes;
        const count = model.shownLanes.length;
        if (!count) return false;
        const index = model.laneIndex(model.selectedLane);
        const next = index < 0 ? 0 : Math.max(0, Math.min(count - 1, index + step));
        model.selectLane(model.shownLanes[next].key);
        return true;
    }

    // Select the lane's segment at the playhead.
    selectHere() {
        const { model } = this.lanes;
        if (model.selectedLane === null || !model.segments) return false;
        model.selectLane(model.selectedLane, model.timeS);
        return true;
    }

    // The menu key, or shift F10: the menu of the selected segment or lane, next to it.
    menu(event) {
        const { lanes } = this;
        const { model } = lanes;
        const laneIndex = model.laneIndex(model.selectedLane);
        if (event.pointerType || !lanes.canEdit || laneIndex < 0) return;
        event.preventDefault();
        const box = lanes.stage.getBoundingClientRect();
        const y = box.top + lanes.layout.top(laneIndex) + lanes.layout.lanePx;
        if (model.selection === null) {
            lanes.emit("lane-menu", { laneIndex, timeS: model.timeS, x: box.left + lanes.layout.titlePx, y });
            return;
        }
        const { startS } = model.segment(model.selection);
        const x = box.left + lanes.layout.titlePx + Math.max(0, lanes.view.xOf(startS));
        lanes.emit("segment-menu", { row: model.selection, timeS: startS, x, y });
    }
}
