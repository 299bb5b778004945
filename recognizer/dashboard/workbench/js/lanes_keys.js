// Keys while the lanes have the focus; keys.js has those of the whole workbench.

// for the visible list; the keys themselves are pressed below, the rest is the pointer's
export const LANE_KEYS = [
    { keys: [], shown: "↑ ↓", title: "In the lanes: the person above or below" },
    { keys: [], shown: "Enter", title: "In the lanes: select the segment at the playhead" },
    { keys: [], shown: "Ctrl wheel", title: "Zoom at the pointer" },
    { keys: [], shown: "Shift wheel", title: "Move the lanes in time" },
    { keys: [], shown: "Shift drag", title: "Mark a stretch of a lane" },
];

const MENU_MS = 500; // after its key, an event that asks for a menu is the same wish

export class LaneKeys {
    menuKeyMs = -Infinity;

    constructor(lanes, signal) {
        this.lanes = lanes;
        lanes.scroll.addEventListener("keydown", (event) => this.press(event), { signal });
        lanes.scroll.addEventListener("contextmenu", (event) => this.isMenuKey() && event.preventDefault(), { signal });
        lanes.scroll.addEventListener("blur", () => lanes.hover.hide(), { signal });
    }

    // Whether the keyboard has just asked for a menu.
    isMenuKey() {
        return performance.now() - this.menuKeyMs < MENU_MS;
    }

    press(event) {
        if (event.key === "ContextMenu" || (event.shiftKey && event.key === "F10")) {
            if (!this.menu()) return;
        } else if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !this.run(event.key)) {
            return;
        }
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

    // Ask for the menu of the selected segment or lane, next to it.
    menu() {
        const { lanes } = this;
        const { model, view, layout } = lanes;
        const laneIndex = model.laneIndex(model.selectedLane);
        if (!lanes.canEdit || laneIndex < 0) return false;
        this.menuKeyMs = performance.now();
        lanes.hover.hide();
        const box = lanes.stage.getBoundingClientRect();
        const row = model.selection;
        const timeS = row === null ? model.timeS : model.segment(row).startS;
        const x = box.left + layout.titlePx + (row === null ? 0 : Math.max(0, view.xOf(timeS)));
        const y = box.top + layout.top(laneIndex) + layout.lanePx;
        if (row === null) lanes.emit("lane-menu", { laneIndex, timeS, x, y });
        else lanes.emit("segment-menu", { row, timeS, x, y });
        return true;
    }
}
