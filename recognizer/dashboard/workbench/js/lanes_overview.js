// The strip below the lanes: which part of the video is in view, to be dragged.

import { element } from "./dom.js";

const LEAST_PX = 24; // of what can be grabbed

export class Overview {
    constructor(place, lanes, signal) {
        this.lanes = lanes;
        this.thumb = element("div", { class: "lanes-thumb" });
        this.now = element("div", { class: "lanes-now" });
        this.track = element("div", { class: "lanes-track", "aria-hidden": "true" }, this.thumb, this.now);
        place.append(this.track);
        const on = (type, hear) => this.track.addEventListener(type, hear, { signal });
        on("pointerdown", (event) => this.press(event));
        on("pointermove", (event) => this.drag(event));
        on("pointerup", () => { this.grabbedS = null; });
        on("pointercancel", () => { this.grabbedS = null; });
    }

    grabbedS = null; // the pointer's distance from the start of the view

    update() {
        const { view, layout } = this.lanes;
        const wholeS = view.endS - view.beginS;
        const px = layout.plotPx;
        const width = Math.max(LEAST_PX, (px * view.spanS) / wholeS);
        const share = view.isZoomed ? (view.startS - view.beginS) / (wholeS - view.spanS) : 0;
        this.track.classList.toggle("is-idle", !view.isZoomed);
        this.track.style.marginLeft = `${layout.titlePx}px`;
        this.track.style.width = `${px}px`;
        this.thumb.style.width = `${width}px`;
        this.thumb.style.transform = `translateX(${share * (px - width)}px)`;
        this.showTime();
    }

    showTime() {
        const { view, layout, model } = this.lanes;
        if (!view.isZoomed) return;
        const share = (model.timeS - view.beginS) / (view.endS - view.beginS);
        this.now.style.transform = `translateX(${Math.round(share * layout.plotPx)}px)`;
    }

    timeAt(event) {
        const { view } = this.lanes;
        const box = this.track.getBoundingClientRect();
        return view.beginS + ((event.clientX - box.left) / box.width) * (view.endS - view.beginS);
    }

    press(event) {
        const { view } = this.lanes;
        if (event.button !== 0 || !view.isZoomed) return;
        this.track.setPointerCapture(event.pointerId);
        const timeS = this.timeAt(event);
        this.grabbedS = event.target === this.thumb && view.contains(timeS) ? timeS - view.startS : view.spanS / 2;
        this.drag(event);
    }

    drag(event) {
        if (this.grabbedS === null) return;
        const startS = this.timeAt(event) - this.grabbedS;
        this.lanes.navigation.change((view) => view.pan(startS - view.startS));
    }
}
