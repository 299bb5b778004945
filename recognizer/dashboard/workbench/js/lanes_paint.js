// Paints what does not change while a video plays: axis, titles, presence, segments, movement. Only what is in sight.

import { ticksOf } from "./axis.js";
import { AXIS_PX } from "./lanes_layout.js";

const FONT_PX = 12;
const LEAST_PX = 1; // a shorter segment shares its pixel with others
const GAP_FROM_PX = 3; // from this width on, a gap of one px separates a segment from the next
const TEXT_FROM_PX = 34;
const TEXT_PADDING_PX = 5;
const MOVEMENT_PX = { still: 1, slow: 2, fast: 3.5 }; // as in plots/movement_line.py, it reads without colours
const TITLE_LEFT_PX = 22; // after the dot
const HUMAN_PX = 7;
const TAUGHT_PX = { line: 2, tick: 3 };
const CHECK_PX = 9;

export class Painter {
    constructor(context, layout, view) {
        Object.assign(this, { context, layout, view });
        this.widths = new Map();
    }

    // scene: {lanes: [{title, isSelected, presence, movement, checked, segments}], theme, fills, actions, analysedS, endS}
    paint(scene, scale) {
        const { context, layout, view } = this;
        this.scene = scene;
        this.scale = scale;
        context.setTransform(scale, 0, 0, scale, 0, 0);
        context.clearRect(0, 0, layout.width, layout.height);
        context.font = `${FONT_PX}px ${scene.theme.font}`;
        context.textBaseline = "middle";
        const { ticks, finer } = ticksOf(view);
        const [first, past] = layout.inSight();
        scene.fills?.shift(layout.titlePx + view.xOf(0));
        this.clipped(0, AXIS_PX, layout.right, layout.height, () => {
            for (let lane = first; lane < past; lane++) this.ground(lane);
        });
        this.clipped(layout.titlePx, AXIS_PX, layout.right, layout.height, () => {
            for (let lane = first; lane < past; lane++) this.presence(lane);
            this.grid(ticks);
            this.rest(Math.min(layout.height, layout.top(layout.lanes)));
            for (let lane = first; lane < past; lane++) this.lane(lane);
        });
        this.clipped(0, AXIS_PX, layout.titlePx, layout.height, () => {
            for (let lane = first; lane < past; lane++) this.title(lane);
        });
        this.axis(ticks, finer);
        if (!scene.lanes.length) this.nobody();
    }

    nobody() {
        const { context, layout, scene } = this;
        const text = scene.isFiltered ? "Nobody fits the filter." : "No people found.";
        context.fillStyle = scene.theme.quiet;
        context.fillText(text, layout.titlePx + (layout.plotPx - this.textPx(text)) / 2, AXIS_PX + layout.lanePx / 2);
    }

    clipped(left, top, right, bottom, draw) {
        const { context } = this;
        context.save();
        context.beginPath();
        context.rect(left, top, Math.max(0, right - left), Math.max(0, bottom - top));
        context.clip();
        draw();
        context.restore();
    }

    x(timeS) {
        return this.layout.titlePx + this.view.xOf(timeS);
    }

    // Move a coordinate to the edge of a device pixel, so that neighbours meet without a seam.
    sharp(px) {
        return Math.round(px * this.scale) / this.scale;
    }

    ground(lane) {
        const { context, layout, scene } = this;
        if (!scene.lanes[lane].isSelected) return;
        context.fillStyle = scene.theme.band;
        context.fillRect(0, layout.top(lane), layout.right, layout.lanePx);
        context.fillStyle = scene.theme.accent;
        context.fillRect(0, layout.top(lane) + 3, 3, layout.lanePx - 6);
    }

    presence(lane) {
        const { context, layout, scene } = this;
        const [top, height] = layout.presence(lane);
        context.fillStyle = scene.theme.presence;
        scene.lanes[lane].presence.eachVisible(this.view, LEAST_PX, (_, x1, x2) => this.fill(x1, x2, top, height));
    }

    fill(x1, x2, top, height) {
        const left = this.sharp(this.layout.titlePx + x1);
        const right = this.sharp(this.layout.titlePx + x2);
        this.context.fillRect(left, top, Math.max(right - left, 1 / this.scale), height);
    }

    grid(ticks) {
        const { context, layout } = this;
        context.fillStyle = this.scene.theme.grid;
        for (const { timeS } of ticks) context.fillRect(this.sharp(this.x(timeS)), AXIS_PX, 1, layout.height);
    }

    // Shade what has not been analysed, in the lanes and on the axis.
    rest(bottom) {
        const { context, layout, scene, view } = this;
        if (scene.analysedS >= view.endS) return;
        const left = Math.max(layout.titlePx, this.x(scene.analysedS));
        if (left >= layout.right) return;
        context.fillStyle = scene.theme.notAnalysed;
        context.fillRect(left, 0, layout.right - left, bottom);
        context.fillStyle = scene.theme.line;
        context.fillRect(left, AXIS_PX, 1, bottom - AXIS_PX);
        const text = "not analysed";
        if (bottom > AXIS_PX && layout.right - left > this.textPx(text) + 2 * TEXT_PADDING_PX) {
            context.fillStyle = scene.theme.quiet;
            context.fillText(text, left + TEXT_PADDING_PX, AXIS_PX + layout.lanePx / 2);
        }
    }

    lane(lane) {
        const { scene, layout } = this;
        const { segments, movement, checked, taught } = scene.lanes[lane];
        const [top, height] = layout.bar(lane);
        const texts = [];
        let kind = -1;
        segments.eachVisible(this.view, LEAST_PX, (k, x1, x2) => {
            if (segments.kinds[k] !== kind) {
                kind = segments.kinds[k];
                this.context.fillStyle = scene.fills.fills[kind];
            }
            this.fill(x1, x2 - x1 >= GAP_FROM_PX ? x2 - 1 : x2, top, height);
            const row = segments.firstRow + k;
            if (x2 - x1 >= HUMAN_PX && (scene.isHuman[row] || x2 - x1 >= TEXT_FROM_PX)) texts.push([row, kind, x1, x2]);
        });
        for (const [row, action, x1, x2] of texts) this.words(row, action, x1, x2, top, height);
        this.movement(lane, movement);
        this.checks(lane, checked);
        this.examples(taught, top + height);
    }

    // A bracket below what has been taught.
    examples(taught, bottom) {
        const { context, scene, view } = this;
        context.fillStyle = scene.theme.text;
        for (const { startS, endS } of taught) {
            const [x1, x2] = [view.xOf(startS), view.xOf(endS)];
            this.fill(x1, x2, bottom + 1, TAUGHT_PX.line);
            for (const x of [x1, x2 - TAUGHT_PX.line]) this.fill(x, x + TAUGHT_PX.line, bottom - TAUGHT_PX.tick, TAUGHT_PX.tick + 1);
        }
    }

    // The name in a segment where it fits, and the mark of one that a person has made.
    words(row, action, x1, x2, top, height) {
        const { context, layout, scene } = this;
        const start = layout.titlePx + x1;
        context.fillStyle = scene.fills.texts[action];
        if (scene.isHuman[row]) this.human(start, top);
        const left = Math.max(start, layout.titlePx) + TEXT_PADDING_PX + (scene.isHuman[row] ? 3 : 0);
        const room = Math.min(layout.titlePx + x2, layout.right) - left - TEXT_PADDING_PX;
        const text = this.fitting(scene.nameOf(row), room) ?? this.fitting(scene.actions[action], room, true);
        if (!text) return;
        if (scene.fills.patterns[action]) { // a pattern makes text hard to read
            context.fillStyle = scene.fills.colors[action];
            context.fillRect(left - 2, top + 2, this.textPx(text) + 4, height - 4);
            context.fillStyle = scene.fills.texts[action];
        }
        context.fillText(text, left, top + height / 2 + 0.5);
    }

    human(x, top) {
        const { context } = this;
        context.beginPath();
        context.moveTo(x, top);
        context.lineTo(x + HUMAN_PX, top);
        context.lineTo(x, top + HUMAN_PX);
        context.fill();
    }

    movement(lane, spans) {
        const { context, layout, scene } = this;
        spans.eachVisible(this.view, LEAST_PX, (k, x1, x2) => {
            const kind = spans.kinds[k];
            if (!(kind in MOVEMENT_PX)) return;
            context.fillStyle = scene.theme.movement[kind];
            this.fill(x1, x2, ...layout.movement(lane, MOVEMENT_PX[kind]));
        });
    }

    // A line above what a person has checked, with a check mark where it ends.
    checks(lane, spans) {
        const { context, layout, scene } = this;
        const top = layout.top(lane) + 1.5;
        spans.eachVisible(this.view, LEAST_PX, (_, x1, x2) => {
            context.fillStyle = scene.theme.checked;
            this.fill(x1, x2, top, 2);
            const right = Math.min(layout.titlePx + x2, layout.right) - 2;
            if (right - layout.titlePx - Math.max(0, x1) >= CHECK_PX + 6) this.checkMark(right - CHECK_PX - 2, top + 2);
        });
    }

    checkMark(x, y) {
        const { context, scene } = this;
        context.fillStyle = scene.theme.checked;
        context.fillRect(x - 2, y - 1, CHECK_PX + 4, CHECK_PX + 2);
        context.strokeStyle = scene.theme.background;
        context.lineWidth = 1.8;
        context.beginPath();
        context.moveTo(x + 1, y + CHECK_PX * 0.5);
        context.lineTo(x + CHECK_PX * 0.4, y + CHECK_PX * 0.8);
        context.lineTo(x + CHECK_PX - 1, y + 1.5);
        context.stroke();
    }

    title(lane) {
        const { context, layout, scene } = this;
        const { title, classifier, isSelected } = scene.lanes[lane];
        const middle = layout.top(lane) + layout.lanePx / 2 + 0.5;
        this.titleLine(title, isSelected ? 600 : 400, classifier ? middle - 6 : middle);
        if (!classifier) return;
        context.globalAlpha = 0.8;
        this.titleLine(classifier, 400, middle + 7, FONT_PX - 1);
        context.globalAlpha = 1;
    }

    titleLine(text, weight, middle, sizePx = FONT_PX + 1) {
        const { context, layout, scene } = this;
        context.font = `${weight} ${sizePx}px ${scene.theme.font}`;
        context.fillStyle = scene.theme.text;
        context.fillText(this.fitting(text, layout.titlePx - TITLE_LEFT_PX - 6, true) ?? "", TITLE_LEFT_PX, middle);
    }

    axis(ticks, finer) {
        const { context, layout, scene } = this;
        context.font = `${FONT_PX}px ${scene.theme.font}`;
        context.fillStyle = scene.theme.line;
        context.fillRect(layout.titlePx, AXIS_PX - 1, layout.plotPx, 1);
        for (const timeS of finer) context.fillRect(this.sharp(this.x(timeS)), AXIS_PX - 4, 1, 4);
        for (const { timeS } of ticks) context.fillRect(this.sharp(this.x(timeS)), AXIS_PX - 8, 1, 8);
        context.fillStyle = scene.theme.quiet;
        for (const { timeS, text } of ticks) {
            const half = this.textPx(text) / 2;
            const x = Math.min(Math.max(this.x(timeS), layout.titlePx + half), layout.width - half);
            context.fillText(text, x - half, 9);
        }
    }

    // The width of the longest title.
    widestPx({ lanes, theme }) {
        this.context.font = `600 ${FONT_PX + 1}px ${theme.font}`;
        return Math.max(0, ...lanes.flatMap(({ title, classifier }) => [this.textPx(title), this.textPx(classifier ?? "")]));
    }

    // Return a text if it fits into so many px; with `isCut`, as much of it as fits.
    fitting(text, roomPx, isCut = false) {
        const px = this.textPx(text);
        if (px <= roomPx) return text;
        const chars = Math.floor((text.length * (roomPx - 8)) / px);
        return isCut && chars >= 3 ? `${text.slice(0, chars).trimEnd()}…` : null;
    }

    textPx(text) {
        const { font } = this.context;
        let widths = this.widths.get(font);
        if (!widths) this.widths.set(font, (widths = new Map()));
        let px = widths.get(text);
        if (px === undefined) widths.set(text, (px = this.context.measureText(text).width));
        return px;
    }
}
