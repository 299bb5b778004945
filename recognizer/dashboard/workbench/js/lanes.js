// A lane for each person: presence, segments and the playhead, over one time axis.
//
// Emits on its host, unless the timeline is read-only: "segment-menu" {row, x, y}, "lane-menu" {laneIndex, x, y},
// "edge-drag" {row, side: "start" or "end", toS}, "stretch" {laneIndex, startS, endS, x, y},
// "merge" {laneIndex, onto, x, y}; x and y in the window.

import { button, element } from "./dom.js";
import { Hover } from "./hover.js";
import { LaneKeys } from "./lanes_keys.js";
import { Layout } from "./lanes_layout.js";
import { Marks } from "./lanes_marks.js";
import { Navigation } from "./lanes_navigation.js";
import { Overview } from "./lanes_overview.js";
import { Painter } from "./lanes_paint.js";
import { Pointer } from "./lanes_pointer.js";
import { Reader } from "./lanes_reader.js";
import { Scene } from "./lanes_scene.js";
import { Selection } from "./lanes_selection.js";

const STEP_ZOOM = 2;
const KEPT_MS = 1500; // a dragged edge stays until the correction is here, but no longer

export class Lanes {
    layout = new Layout();
    scene = new Scene();
    marksStretches = false; // whether a drag marks a stretch even without shift

    // host: an empty element as wide as the workbench; the lanes set its height, and more than eight scroll in it
    constructor(host, model, player) {
        Object.assign(this, { host, model, player });
        this.ended = new AbortController();
        const { signal } = this.ended;
        this.navigation = new Navigation(model, player, () => this.moved());
        this.view = this.navigation.view;
        this.build();
        this.painter = new Painter(this.canvas.getContext("2d"), this.layout, this.view);
        this.marks = new Marks(this.top.getContext("2d"), this);
        this.hover = new Hover(host, model);
        this.overview = new Overview(host, this, signal);
        this.reader = new Reader(this.scroll, host, model);
        this.pointer = new Pointer(this, signal);
        this.keys = new LaneKeys(this, signal);
        this.selection = new Selection(this);
        this.sizes = new ResizeObserver(() => this.invalidate());
        this.sizes.observe(this.scroll);
        this.scroll.addEventListener("scroll", () => this.scrolled(), { signal });
        document.addEventListener("scroll", () => this.hover.hide(), { signal, capture: true, passive: true });
        player.addEventListener("state", () => this.invalidateMarks(), { signal }); // a repeated section
        this.listen(model, signal);
        this.followScale();
    }

    listen(model, signal) {
        const on = (type, hear) => model.addEventListener(type, hear, { signal });
        on("timeline", () => this.adopt());
        on("segments", () => {
            this.pointer.reloads();
            this.preview({ edge: null });
            this.adopt();
        });
        on("seconds", () => {
            this.scene.readActions(model);
            this.rebuild();
        });
        on("problem", () => this.preview({ edge: null }));
        on("theme", () => this.rebuild());
        on("time", () => this.timeChanged());
        on("selection", () => this.selection.changed());
    }

    // Draw again when the window moves to another screen, or the page is zoomed.
    followScale() {
        const media = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
        const change = () => {
            this.rebuild();
            this.followScale();
        };
        media.addEventListener("change", change, { once: true, signal: this.ended.signal });
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
            button("Show everything", "All", () => this.navigation.zoomAll()),
        );
        this.host.append(tools, this.scroll);
    }

    // --- what is shown ---

    get canEdit() {
        return Boolean(this.model.timeline && this.model.segments) && !this.model.timeline.readOnly;
    }

    adopt() {
        const { timeline } = this.model;
        this.selection.reloads();
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
        const { lanes } = this.scene;
        const lines = lanes.some(({ classifier }) => classifier) ? 2 : 1;
        layout.measure({ width, height, lanes: lanes.length, titleTextPx: this.painter.widestPx(this.scene), lines });
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
        this.moved();
    }

    // Something else is in sight.
    moved() {
        this.hover.hide();
        this.invalidate();
    }

    // --- time ---

    timeChanged() {
        this.navigation.follow();
        this.placePlayhead();
        this.overview.showTime();
        if (!this.isOld && this.scene.style && this.marks.isStale()) this.invalidateMarks();
    }

    placePlayhead() {
        const { view, layout, playhead, model: { timeS } } = this;
        const isHidden = !this.scene.style || !view.contains(timeS);
        if (playhead.hidden !== isHidden) playhead.hidden = isHidden;
        if (!isHidden) playhead.style.transform = `translateX(${layout.titlePx + view.xOf(timeS)}px)`;
    }

    // factor > 1 shows less time, around the playhead
    zoom(factor) {
        this.navigation.zoom(factor);
    }

    // --- editing ---

    // Show a dragged edge or a marked stretch: `{edge}` or `{stretch}`, null for none.
    preview(changes) {
        clearTimeout(this.kept);
        Object.assign(this.marks, changes);
        this.invalidateMarks();
    }

    // Let a dragged edge stay where it is until its correction comes.
    keepPreview() {
        this.kept = setTimeout(() => this.preview({ edge: null }), KEPT_MS);
    }

    emit(type, detail) {
        if (this.canEdit) this.host.dispatchEvent(new CustomEvent(type, { detail }));
    }

    end() {
        this.ended.abort();
        this.sizes.disconnect();
        this.hover.end();
        this.reader.end();
        clearTimeout(this.kept);
        cancelAnimationFrame(this.frame);
        this.navigation.end();
    }
}
