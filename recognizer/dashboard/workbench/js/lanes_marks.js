// Draws what changes while a person works: selection, hover, a dragged edge, a marked stretch, and who does what now.

import { moment } from "./axis.js";
import { AXIS_PX } from "./lanes_layout.js";

const DOT = { x: 12, radius: 4.5 };
const SECTION_PX = 3;
const ABSENT = -2;
const UNLABELLED = -1;
const CARET_FROM_PX = 8; // a narrower segment gets a caret, so that it is found

export class Marks {
    hover = null; // a row
    edge = null; // {row, side, laneIndex, atS, toS}
    stretch = null; // {laneIndex, startS, endS}
    merge = null; // {laneIndex, onto}: a title that is dragged onto another lane
    shown = "";

    constructor(context, lanes) {
        Object.assign(this, { context, lanes, layout: lanes.layout, view: lanes.view, model: lanes.model });
    }

    // What everyone in sight does at the current time, as indices of actions.
    states() {
        const [first, past] = this.layout.inSight();
        return this.lanes.scene.lanes.slice(first, past).map(({ segments, presence }) => {
            const k = segments.at(this.model.timeS);
            if (k >= 0) return segments.kinds[k];
            return presence.at(this.model.timeS) < 0 ? ABSENT : UNLABELLED;
        });
    }

    // Whether the current time asks for another drawing.
    isStale() {
        return this.shown !== this.states().join();
    }

    paint(scale) {
        const { context, layout, lanes: { scene: { theme } } } = this;
        context.setTransform(scale, 0, 0, scale, 0, 0);
        context.clearRect(0, 0, layout.width, layout.height);
        if (this.lanes.player.section) this.section(this.lanes.player.section);
        context.save();
        context.beginPath();
        context.rect(0, AXIS_PX, layout.right + 2, layout.height);
        context.clip();
        this.dots();
        if (this.merge) this.target(this.merge);
        context.beginPath();
        context.rect(layout.titlePx - 1, AXIS_PX, layout.plotPx + 2, layout.height);
        context.clip();
        if (this.hover !== null && this.hover !== this.model.selection) this.outline(this.hover, theme.quiet, 1);
        if (this.model.selection !== null) this.outline(this.model.selection, theme.text, 2);
        if (this.stretch) this.band(this.stretch);
        if (this.edge) this.moved(this.edge);
        context.restore();
    }

    // The stretch that the player repeats, below the axis' ticks.
    section([startS, endS]) {
        const { context, view, lanes: { scene: { theme } } } = this;
        const [fromS, toS] = [Math.max(startS, view.startS), Math.min(endS, view.startS + view.spanS)];
        if (toS <= fromS) return;
        const [left, width] = this.span(fromS, toS);
        context.fillStyle = theme.accent;
        context.fillRect(left, AXIS_PX - SECTION_PX, width, SECTION_PX);
        for (const edge of [left, left + width - 2]) context.fillRect(edge, AXIS_PX - 3 * SECTION_PX, 2, 3 * SECTION_PX);
    }

    dots() {
        const { context, layout, lanes: { scene: { theme, fills } } } = this;
        const states = this.states();
        this.shown = states.join();
        const [first] = layout.inSight();
        for (const [k, state] of states.entries()) {
            const y = layout.top(first + k) + layout.lanePx / 2;
            context.beginPath();
            context.arc(DOT.x, y, DOT.radius, 0, 2 * Math.PI);
            if (state === ABSENT) {
                context.strokeStyle = theme.line;
            } else if (state === UNLABELLED) {
                context.strokeStyle = theme.text;
            } else {
                context.fillStyle = fills.colors[state];
                context.fill();
                context.strokeStyle = theme.background;
            }
            context.lineWidth = 1.2;
            context.stroke();
        }
    }

    span(startS, endS) {
        const left = this.layout.titlePx + this.view.xOf(startS);
        return [left, Math.max(1, this.layout.titlePx + this.view.xOf(endS) - left)];
    }

    outline(row, color, width) {
        const { context, layout, lanes: { scene: { theme } } } = this;
        const { startS, endS, laneIndex } = this.model.segment(row);
        const [left, px] = this.span(startS, endS);
        const [top, height] = layout.bar(laneIndex);
        // the page's colour outside and inside separates the line from the segment and its neighbours
        for (const [style, grow, line] of [[theme.background, 1.5, width + 2], [color, 1, width]]) {
            context.strokeStyle = style;
            context.lineWidth = line;
            context.strokeRect(left - grow, top - grow, px + 2 * grow, height + 2 * grow);
        }
        if (px >= CARET_FROM_PX || width < 2) return;
        context.fillStyle = color;
        context.beginPath();
        context.moveTo(left + px / 2 - 5, top - 5);
        context.lineTo(left + px / 2 + 5, top - 5);
        context.lineTo(left + px / 2, top + 2);
        context.fill();
    }

    band({ laneIndex, startS, endS }) {
        const { context, layout, lanes: { scene: { theme } } } = this;
        const [left, px] = this.span(startS, endS);
        const top = layout.top(laneIndex);
        context.globalAlpha = 0.3;
        context.fillStyle = theme.accent;
        context.fillRect(left, top, px, layout.lanePx);
        context.globalAlpha = 1;
        context.strokeStyle = theme.text;
        context.lineWidth = 1.5;
        context.setLineDash([4, 3]);
        context.strokeRect(left, top + 1, px, layout.lanePx - 2);
        context.setLineDash([]);
        this.note(`${(endS - startS).toFixed(2)} s`, left + px / 2, laneIndex);
    }

    target({ onto }) {
        const { context, layout, lanes: { scene: { theme } } } = this;
        context.strokeStyle = theme.accent;
        context.lineWidth = 2;
        context.strokeRect(1, layout.top(onto) + 1, layout.right - 1, layout.lanePx - 2);
    }

    // A dragged edge: the segment as it would be, and the time.
    moved({ row, side, laneIndex, toS }) {
        const { context, layout, model, lanes: { scene: { theme, fills } } } = this;
        const { startS, endS } = model.segment(row);
        const [from, to] = side === "end" ? [startS, toS] : [toS, endS];
        const [top, height] = layout.bar(laneIndex);
        const [left, px] = this.span(from, to);
        this.leaves(side === "end" ? [toS, endS] : [startS, toS], top, height);
        context.fillStyle = fills.colors[model.segments.action[row]];
        context.fillRect(left, top, px, height);
        context.strokeStyle = theme.text;
        context.lineWidth = 2;
        context.strokeRect(left, top - 1, px, height + 2);
        this.note(moment(toS, this.view.endS, 2), side === "end" ? left + px : left, laneIndex);
    }

    // What the segment would no longer cover.
    leaves([fromS, toS], top, height) {
        if (toS <= fromS) return;
        const { context, lanes: { scene: { theme } } } = this;
        context.fillStyle = theme.background;
        context.fillRect(...zip(this.span(fromS, toS), top, height));
        context.fillStyle = theme.presence;
        context.fillRect(...zip(this.span(fromS, toS), top, height));
    }

    note(text, middle, laneIndex) {
        const { context, layout, lanes: { scene: { theme } } } = this;
        context.font = `600 12px ${theme.font}`;
        context.textBaseline = "middle";
        const width = context.measureText(text).width + 10;
        const left = Math.min(Math.max(middle - width / 2, layout.titlePx), layout.right - width);
        const isBelow = layout.top(laneIndex) - 20 < AXIS_PX;
        const top = isBelow ? layout.top(laneIndex) + layout.lanePx : layout.top(laneIndex) - 20;
        context.fillStyle = theme.text;
        context.fillRect(left, top, width, 19);
        context.fillStyle = theme.background;
        context.fillText(text, left + 5, top + 10);
    }
}

const zip = ([left, width], top, height) => [left, top, width, height];
