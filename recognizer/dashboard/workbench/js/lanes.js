// A lane for each person: presence, segments and the playhead, over one time axis.
//
// Emits on its host, unless the timeline is read-only: "segment-menu" {row, x, y}, "lane-menu" {laneIndex, x, y},
// "edge-drag" {row, side: "start" or "end", toS}, "stretch" {laneIndex, startS, endS, x, y}; x and y in the window.

import { TimeView } from "./axis.js";
import { button, element } from "./dom.js";
import { Hover } from "./hover.js";
import { LaneKeys } from "./lanes_keys.js";
import { Layout } from "./lanes_layout.js";
import { Marks } from "./lanes_marks.js";
import { Overview } from "./lanes_overview.js";
import { Painter } from "./lanes_paint.js";
import { Pointer } from "./lanes_pointer.js";
import { Reader } from "./lanes_reader.js";
import { Scene } from "./lanes_scene.js";

const STEP_ZOOM = 2;
const PAGE_SHARE = 0.05; // where the playhead is after the view has followed it
const NEAR_PX = 3; // a click next to a very short segment means it
const ROW_MARGIN = 0.15; // of a segment, on both sides of it when it fills the view

export class Lanes {
    view = new TimeView();
    layout = new Layout();
    scene = new Scene();
    marksStretches = false; // whether a drag marks a stretch even without shift
    follows = true; // whether the view follows the playhead

    // host: an empty element as wide as the workbench; the lanes set its height, and more than eight scroll in it
    constructor(host, model, player) {
        Object.assign(this, { host, model, player });
        this.ended = new AbortController();
        const { signal } = this.ended;
        this.build();
        this.painter = new Painter(this.canvas.getContext("2d"), this.layout, this.view);
        this.marks = new Marks(this.top.getContext("2d"), this);
        this.hover = new Hover(host, model);
        this.overview = new Overview(host, this, signal);
        this.reader = new Reader(this.scroll, host, model);
        this.pointer = new Pointer(this, signal);
        this.keys = new LaneKeys(this, signal);
        this.sizes = new ResizeObserver(() => this.invalidate());
        this.sizes.observe(this.scroll);
        this.scroll.addEventListener("scroll", () => this.scrolled(), { signal });
        const on = (type, hear) => model.addEventListener(type, hear, { signal });
        on("timeline", () => this.adopt());
        on("segments", () => this.adopt());
        on("theme", () => this.rebuild());
        on("time", () => this.timeChanged());
        on("selection", () => this.selectionChanged());
    }

    build() {
        this.canvas = element("canvas", { class: "lanes-canvas" });
        this.top = element("canvas", { class: "lanes-canvas" });
        this.playhead = element("div", { class: "lanes-playhead", hidden: true });
        this.stage = element("div", { class: "lanes-stage", "aria-hidden": "true" }, this.canvas, this.top, this.playhead);
        this.sheet = element("div", { class: "lanes-sheet" }, this.stage);
        this.scroll = element("div", { class: "lanes-scroll", tabindex: "0", role: "listbox" }, this.sheet);
        const tools = element(
            "div",
            { class: "lanes-tools", role: "group", "aria-label": "Zoom" },
            button("Zoom out", "−", () => this.zoom(1 / STEP_ZOOM)),
            button("Zoom in", "+", () => this.zoom(STEP_ZOOM)),
            button("Show everything", "All", () => this.zoomAll()),
        );
        this.host.append(tools, this.scroll);
    }

    // --- what is shown ---

    get canEdit() {
        return Boolean(this.model.timeline && this.model.segments) && !this.model.timeline.readOnly;
    }

    adopt() {
        const { timeline } = this.model;
        this.isReloading = true; // a selection that only follows it does not move the view
        queueMicrotask(() => { this.isReloading = false; });
        this.scene.readLanes(this.model);
        this.view.setBounds(this.scene.beginS, this.scene.endS, timeline.video.frameRateHz);
        this.scroll.style.height = `${Layout.heightOf(this.scene.lanes.length)}px`;
        this.marks.hover = null;
        this.hover.hide();
        this.reader.update();
        this.rebuild();
    }

    rebuild() {
        this.scene.style = null;
        this.invalidate();
    }

    invalidate() {
        this.isOld = true;
        this.frame ??= requestAnimationFrame(() => this.draw());
    }

    invalidateMarks() {
        this.frame ??= requestAnimationFrame(() => this.draw());
    }

    draw() {
        this.frame = undefined;
        if (!this.model.timeline || !this.scroll.clientWidth) return; // a closed tab has no width
        const scale = window.devicePixelRatio || 1;
        if (this.isOld) {
            this.isOld = false;
            this.scene.dress(this.model, scale);
            this.fit(scale);
            this.painter.paint(this.scene, scale);
            this.overview.update();
            this.placePlayhead();
        }
        this.marks.paint(scale);
    }

    // Give canvases and lanes the size that there is room for.
    fit(scale) {
        const { scroll, layout, stage } = this;
        const { clientWidth: width, clientHeight: height } = scroll;
        const titleTextPx = this.painter.widestPx(this.scene);
        layout.measure({ width, height, lanes: this.scene.lanes.length, titleTextPx });
        this.view.widthPx = layout.plotPx;
        this.sheet.style.height = `${layout.contentPx}px`;
        layout.scrollPx = scroll.scrollTop;
        stage.style.height = `${height}px`;
        for (const canvas of [this.canvas, this.top]) {
            const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
            if (canvas.width === wide && canvas.height === high) continue;
            canvas.width = wide;
            canvas.height = high;
        }
    }

    scrolled() {
        this.layout.scrollPx = this.scroll.scrollTop;
        this.hover.hide();
        this.invalidate();
    }

    // --- time ---

    timeChanged() {
        const { view, model } = this;
        const isInView = view.contains(model.timeS);
        if (isInView) this.follows = true;
        else if (this.follows && !this.pointer.gesture) this.turnPage();
        this.placePlayhead();
        this.overview.showTime();
        if (!this.isOld && this.scene.style && this.marks.isStale()) this.invalidateMarks();
    }

    // Forwards, a view begins with the playhead; backwards, the playhead is in its middle.
    turnPage() {
        const { view, model: { timeS } } = this;
        const share = timeS > view.startS ? PAGE_SHARE : 0.5;
        view.pan(timeS - share * view.spanS - view.startS);
        this.invalidate();
    }

    placePlayhead() {
        const { view, layout, playhead, model: { timeS } } = this;
        const isHidden = !this.scene.style || !view.contains(timeS);
        if (playhead.hidden !== isHidden) playhead.hidden = isHidden;
        if (!isHidden) playhead.style.transform = `translateX(${layout.titlePx + view.xOf(timeS)}px)`;
    }

    // Move the view by a user's wish; it stays there even if the playhead is elsewhere.
    changeView(change) {
        change();
        this.follows = this.view.contains(this.model.timeS);
        this.hover.hide();
        this.invalidate();
    }

    // factor > 1 shows less time, around the playhead
    zoom(factor) {
        const { view, model: { timeS } } = this;
        this.zoomAt(factor, view.contains(timeS) ? timeS : view.startS + view.spanS / 2);
    }

    zoomAt(factor, timeS) {
        this.changeView(() => this.view.zoom(factor, timeS));
    }

    zoomAll() {
        this.changeView(() => this.view.showAll());
    }

    zoomToRow(row) {
        const { startS, endS } = this.model.segment(row);
        const marginS = (endS - startS) * ROW_MARGIN;
        this.changeView(() => this.view.show(startS - marginS, endS + marginS));
    }

    // Move the video, at most once in each frame of the screen.
    seekTo(timeS) {
        if (this.seekFrame) {
            this.soughtS = timeS;
            return;
        }
        this.soughtS = null;
        this.player.seek(timeS);
        this.seekFrame = requestAnimationFrame(() => {
            this.seekFrame = 0;
            if (this.soughtS !== null) this.seekTo(this.soughtS);
        });
    }

    // --- selection and hover ---

    // The row at a time of a lane, or the one within a few px; null if there is none.
    rowNear(laneIndex, timeS) {
        const { model } = this;
        if (!model.segments || laneIndex < 0) return null;
        const nearS = NEAR_PX / this.view.pxPerS;
        return model.rowAt(laneIndex, timeS) ?? model.rowAt(laneIndex, timeS - nearS) ?? model.rowAt(laneIndex, timeS + nearS);
    }

    // Select the segment at a time of a lane; without one, or without a time, only the lane.
    selectAt(laneIndex, timeS) {
        const row = timeS === null ? null : this.rowNear(laneIndex, timeS);
        if (row === null) this.model.selectLane(this.model.shownLanes[laneIndex].key);
        else this.model.select(row);
    }

    selectionChanged() {
        const { model } = this;
        this.scene.selectLane(model.selectedLane);
        this.reader.update();
        this.reader.point();
        this.invalidate();
        this.hover.hide();
        if (this.isReloading) return;
        this.reveal();
        if (model.selection !== null && this.pointer.lastType !== "mouse") this.describe(model.selection);
    }

    // Bring the selected lane and segment into view.
    reveal() {
        const { model, layout, scroll, view } = this;
        const index = model.laneIndex(model.selectedLane);
        if (index < 0) return;
        layout.scrollPx = layout.scrollTo(index);
        scroll.scrollTop = layout.scrollPx;
        if (model.selection === null) return;
        const { startS, endS } = model.segment(model.selection);
        if (endS <= view.startS || startS >= view.startS + view.spanS) this.changeView(() => view.show(...view.around(startS, endS)));
    }

    // Show the card of a row next to it: for fingers and keys, which do not hover.
    describe(row) {
        const { view, layout } = this;
        const { laneIndex, startS, endS } = this.model.segment(row);
        const box = this.stage.getBoundingClientRect();
        const middleS = (Math.max(startS, view.startS) + Math.min(endS, view.startS + view.spanS)) / 2;
        const clientX = box.left + layout.titlePx + view.xOf(middleS);
        const clientY = box.top + layout.top(laneIndex) + layout.lanePx / 2;
        this.hover.show({ row, laneIndex, timeS: middleS, endS: view.endS, clientX, clientY });
    }

    // Show what lies at a point, or nothing.
    hoverAt(point) {
        const isLane = point?.zone === "lane" && Boolean(this.model.segments);
        const movement = isLane && this.layout.isOnLine(point.y) ? this.scene.movementAt(point.laneIndex, point.timeS) : null;
        const row = isLane && !movement ? this.rowNear(point.laneIndex, point.timeS) : null;
        if (row !== this.marks.hover) {
            this.marks.hover = row;
            this.invalidateMarks();
        }
        if (isLane) this.hover.show({ ...point, row, movement, endS: this.view.endS });
        else this.hover.hide();
    }

    // --- editing ---

    // Show a dragged edge or a marked stretch: `{edge}` or `{stretch}`, null for none.
    preview(changes) {
        Object.assign(this.marks, changes);
        this.invalidateMarks();
    }

    openMenu({ laneIndex, timeS, zone, clientX, clientY }) {
        const row = zone === "lane" ? this.rowNear(laneIndex, timeS) : null;
        this.selectAt(laneIndex, row === null ? null : timeS);
        this.hover.hide();
        if (row === null) this.emit("lane-menu", { laneIndex, timeS, x: clientX, y: clientY });
        else this.emit("segment-menu", { row, timeS, x: clientX, y: clientY });
    }

    emit(type, detail) {
        if (this.canEdit) this.host.dispatchEvent(new CustomEvent(type, { detail }));
    }

    end() {
        this.ended.abort();
        this.sizes.disconnect();
        this.hover.end();
        this.reader.end();
        cancelAnimationFrame(this.frame);
        cancelAnimationFrame(this.seekFrame);
    }
}
