// Mouse, pen, fingers and wheel over the lanes.

import { Pinch, edgeAt, gestureAt } from "./lanes_gestures.js";

const ZOOM_PER_PX = 0.0025;
const LINE_PX = 32; // a wheel that counts lines
const CURSORS = { axis: "grab", lane: "pointer", title: "pointer" };

export class Pointer {
    gesture = null;
    pinch = null;
    lastType = "mouse"; // how the user works: "mouse", "pen", "touch" or "keys"

    constructor(lanes, signal) {
        this.lanes = lanes;
        this.fingers = new Map(); // points by the id of their pointer
        const on = (type, hear, options = {}) => lanes.stage.addEventListener(type, hear, { signal, ...options });
        on("pointerdown", (event) => this.press(event));
        on("pointermove", (event) => this.move(event));
        on("pointerup", (event) => this.release(event));
        on("pointercancel", (event) => this.cancel(event));
        on("pointerleave", ({ pointerType }) => pointerType !== "touch" && lanes.selection.hoverAt(null));
        on("wheel", (event) => this.wheel(event), { passive: false });
        on("dblclick", (event) => this.zoomHere(this.point(event)));
        on("contextmenu", (event) => this.menu(event));
    }

    point(event) {
        const { lanes } = this;
        const box = lanes.stage.getBoundingClientRect();
        const x = event.clientX - box.left;
        const y = event.clientY - box.top;
        const freeS = lanes.view.startS + (x - lanes.layout.titlePx) / lanes.view.pxPerS;
        return {
            x, y, freeS,
            clientX: event.clientX,
            clientY: event.clientY,
            type: event.pointerType || "mouse",
            isShifted: event.shiftKey,
            isFree: event.altKey, // nothing snaps
            zone: lanes.layout.zoneAt(x, y),
            laneIndex: lanes.layout.laneAt(y),
            timeS: Math.max(lanes.view.beginS, Math.min(lanes.view.endS, freeS)),
        };
    }

    press(event) {
        this.lastType = event.pointerType;
        if (event.button !== 0) return;
        const point = this.point(event);
        this.lanes.selection.hoverAt(null);
        this.lanes.preview({ stretch: null, edge: null });
        this.fingers.set(event.pointerId, point);
        if (this.fingers.size === 2) {
            this.drop();
            this.pinch = new Pinch(this.lanes, [...this.fingers.values()]);
            return;
        }
        if (this.fingers.size > 1) return;
        this.hold(gestureAt(this.lanes, point));
        if (this.gesture) this.lanes.stage.setPointerCapture(event.pointerId);
    }

    move(event) {
        const point = this.point(event);
        if (this.fingers.has(event.pointerId)) this.fingers.set(event.pointerId, point);
        if (this.pinch) this.pinch.moveBoth([...this.fingers.values()]);
        else if (this.gesture) this.gesture.move(point);
        else this.over(point);
    }

    over(point) {
        if (point.type === "touch") return;
        this.lastType = point.type;
        const edge = edgeAt(this.lanes, point);
        this.lanes.stage.style.cursor = edge ? "ew-resize" : CURSORS[point.zone] ?? "default";
        this.lanes.selection.hoverAt(point);
    }

    release(event) {
        const point = this.point(event);
        this.fingers.delete(event.pointerId);
        if (this.pinch) {
            if (this.fingers.size < 2) this.pinch = null;
            return;
        }
        const { gesture } = this;
        this.hold(null);
        gesture?.end(point);
    }

    hold(gesture) {
        this.gesture = gesture;
        this.lanes.navigation.isHeld = gesture !== null;
    }

    // Other segments have come: what is being dragged may be another one now.
    reloads() {
        if (this.gesture?.holdsRows) this.drop();
    }

    // End a gesture without effect.
    drop() {
        this.gesture?.cancel();
        this.hold(null);
    }

    cancel(event) {
        this.fingers.delete(event.pointerId);
        this.pinch = null;
        this.drop();
    }

    // Escape ends a drag; return whether there was one.
    escape() {
        const isHeld = this.gesture !== null;
        this.drop();
        return isHeld;
    }

    // Ctrl or a pinch on a touchpad zooms, shift or a sideways wheel moves in time, anything else scrolls the lanes.
    wheel(event) {
        const { lanes } = this;
        const unit = event.deltaMode === 1 ? LINE_PX : 1;
        if (event.ctrlKey || event.metaKey) {
            event.preventDefault();
            lanes.navigation.zoomAt(Math.exp(-event.deltaY * unit * ZOOM_PER_PX), this.point(event).timeS);
            return;
        }
        const px = event.deltaX || (event.shiftKey ? event.deltaY : 0);
        if (!px || (!event.shiftKey && Math.abs(event.deltaY) > Math.abs(event.deltaX))) return;
        event.preventDefault(); // also from leaving the page
        lanes.navigation.change((view) => view.pan((px * unit) / view.pxPerS));
    }

    zoomHere(point) {
        const { lanes } = this;
        const row = point.zone === "lane" ? lanes.selection.rowNear(point.laneIndex, point.timeS) : null;
        if (row !== null) lanes.navigation.zoomToRow(row);
        else if (point.zone === "axis") lanes.navigation.zoomAll();
    }

    menu(event) {
        const { lanes } = this;
        if (!lanes.canEdit || lanes.keys.isMenuKey()) return;
        const point = this.point(event);
        if (point.zone !== "lane" && point.zone !== "title") return;
        event.preventDefault();
        this.escape();
        this.fingers.clear();
        lanes.selection.openMenu(point);
    }
}
