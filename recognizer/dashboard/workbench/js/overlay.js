// Boxes, names and labels over the picture.

import { element } from "./dom.js";

const HALO = "#000";
const BADGE = "#141b20";
const UNKNOWN = { light: "#7e8794", dark: "#8a94a3" }; // the palette's grey: no label yet
const FONT_SHARE = 1 / 30; // of the picture's height
const FONT_MIN_PX = 11;
const FONT_MOST_PX = 18;
const LINE_SHARE = 1 / 240;
const LINE_MIN_PX = 2;

export class Overlay {
    constructor(stage, model, player) {
        this.model = model;
        this.player = player;
        this.canvas = element("canvas", { class: "overlay" });
        stage.append(this.canvas);
        this.drawn = []; // the boxes in CSS px of the canvas, for clicks
        const again = () => this.wish();
        for (const name of ["timeline", "segments", "time", "selection", "boxes", "overlay", "theme"]) {
            model.addEventListener(name, again);
        }
        this.sizes = new ResizeObserver(again);
        this.sizes.observe(stage);
        player.video.addEventListener("loadedmetadata", again);
        this.canvas.addEventListener("click", (event) => this.click(event));
        this.canvas.addEventListener("dblclick", () => player.toggle());
        this.wish();
    }

    // Draw before the next picture appears, once for all that has changed.
    wish() {
        this.frame ??= requestAnimationFrame(() => {
            this.frame = null;
            this.draw();
        });
    }

    draw() {
        const { canvas, model } = this;
        const { clientWidth: width, clientHeight: height } = canvas;
        const scale = globalThis.devicePixelRatio || 1;
        const [pixelsX, pixelsY] = [Math.round(width * scale), Math.round(height * scale)];
        if (canvas.width !== pixelsX || canvas.height !== pixelsY) Object.assign(canvas, { width: pixelsX, height: pixelsY });
        const context = canvas.getContext("2d");
        context.setTransform(scale, 0, 0, scale, 0, 0);
        context.clearRect(0, 0, width, height);
        this.drawn = [];
        if (!model.timeline) return;
        const picture = this.picture(width, height);
        const { overlay } = model;
        const styled = this.people().map((person) => this.styled(person, picture));
        const linePx = Math.max(LINE_MIN_PX, Math.round(picture.height * LINE_SHARE));
        const fontPx = Math.min(FONT_MOST_PX, Math.max(FONT_MIN_PX, Math.round(picture.height * FONT_SHARE)));
        context.font = `600 ${fontPx}px ${model.theme.font ?? "sans-serif"}`;
        context.textBaseline = "alphabetic";
        if (overlay.boxes) for (const one of styled) drawBox(context, one, linePx);
        const placed = [];
        for (const one of styled.toReversed()) { // the one on top chooses its place first
            drawPlate(context, plateOf(context, one, overlay), one, { fontPx, picture, placed });
        }
        this.drawn = styled;
    }

    // Those to draw, the selected one last, on top. A comparison has several lanes of one person; a classifier's comes
    // before the user's own labels, which may leave much without a label.
    people() {
        const { overlay, selectedLane, timeS } = this.model;
        const rank = ({ lane }) => (lane.key === selectedLane ? 2 : Number(!lane.isTruth));
        const shown = this.model.boxesAt(timeS).filter(({ lane }) => !overlay.without.has(lane.key));
        const ordered = shown.toReversed().toSorted((one, other) => rank(one) - rank(other));
        return [...new Map(ordered.map((person) => [person.lane.personId, person])).values()];
    }

    // Where the picture lies in the stage: it keeps its shape, with bars at two sides.
    picture(width, height) {
        const { video } = this.model.timeline;
        const shape = video.width && video.height ? video.width / video.height : width / height;
        const [w, h] = width / height > shape ? [height * shape, height] : [width, width / shape];
        return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
    }

    styled({ laneIndex, lane, box }, picture) {
        const { model } = this;
        const [x1, y1, x2, y2] = box;
        const row = labelRow(model, laneIndex, lane);
        const { segments } = model;
        const tone = model.theme.dark ? "dark" : "light"; // that of the lanes: one action, one colour
        const action = row === null ? null : segments.action[row];
        const name = action === null ? null : segments.actions[action];
        const tail = name === null || name === "unknown" ? "" : ` (${segments.confidence[row].toFixed(2)})`;
        return {
            lane,
            label: name === null ? this.waiting(lane) : name + (segments.source[row] ? "" : tail),
            color: action === null ? UNKNOWN[tone] : segments.colors[tone][action],
            isSelected: lane.key === model.selectedLane,
            left: picture.x + x1 * picture.width,
            top: picture.y + y1 * picture.height,
            right: picture.x + x2 * picture.width,
            bottom: picture.y + y2 * picture.height,
        };
    }

    // Nothing where a filter leaves the label out: the person has one.
    waiting(lane) {
        if (this.model.view.filter) return null;
        if (lane.isTruth) return null;
        return lane.isSmall ? "too small" : "detecting...";
    }

    click({ offsetX: x, offsetY: y }) {
        const hit = this.drawn.filter((one) => x >= one.left && x <= one.right && y >= one.top && y <= one.bottom);
        if (!hit.length) return;
        const smallest = hit.reduce((best, one) => (area(one) < area(best) ? one : best));
        this.model.selectLane(smallest.lane.key, this.model.timeS);
    }

    end() {
        cancelAnimationFrame(this.frame);
        this.sizes.disconnect();
    }
}

// A label stays until the next one or the end of the visit, as in the annotated video; with a filter, until it ends.
function labelRow(model, laneIndex, lane) {
    const { timeS, segments, view } = model;
    if (!segments) return null;
    const row = model.rowBefore(laneIndex, timeS);
    if (view.filter && row !== null && segments.endS[row] <= timeS) return null;
    const visit = lane.presence.find(([startS, endS]) => startS <= timeS && timeS < endS);
    return row !== null && visit && segments.endS[row] > visit[0] ? row : null;
}

function area({ left, top, right, bottom }) {
    return (right - left) * (bottom - top);
}

// A colored line with dark edges is visible on any picture.
function drawBox(context, { left, top, right, bottom, color, isSelected }, linePx) {
    const width = isSelected ? linePx + 2 : linePx;
    for (const [style, extra] of [[isSelected ? "#fff" : HALO, 2], [color, 0]]) {
        context.strokeStyle = style;
        context.lineWidth = width + extra;
        context.strokeRect(left, top, right - left, bottom - top);
    }
}

// The parts of a plate from left to right: the name on dark, the label on the action's color.
function plateOf(context, { lane, label, color }, overlay) {
    const parts = [];
    if (overlay.names) parts.push({ text: badge(lane), fill: BADGE, ink: "#fff" });
    if (overlay.labels && label !== null) parts.push({ text: label, fill: color, ink: inkOn(color) });
    for (const part of parts) part.width = context.measureText(part.text).width;
    return parts;
}

// "Person 3" reads "3" in the picture, as in the annotated video; a name is written out
function badge({ title, number }) {
    return title === `Person ${number}` ? String(number) : title;
}

function drawPlate(context, parts, one, { fontPx, picture, placed }) {
    const pad = Math.max(2, Math.round(fontPx / 4));
    const height = Math.round(fontPx * 1.3) + pad;
    const widthOf = (some) => some.reduce((sum, part) => sum + part.width + 2 * pad, 0);
    // in a crowd there is room for the numbers at least
    const choices = parts.length > 1 ? [parts, parts.slice(0, 1)] : [parts];
    const fitting = choices
        .map((some) => ({ some, places: placesOf(one, { width: widthOf(some), height }, picture) }))
        .map(({ some, places }) => ({ some, places, free: places.find((place) => isFree(place, placed)) }));
    const { some, places, free } = fitting.find((choice) => choice.free) ?? fitting.at(-1);
    const place = free ?? places[0];
    if (!some.length || !place) return;
    placed.push(place);
    let { left } = place;
    for (const part of some) {
        context.fillStyle = part.fill;
        context.fillRect(left, place.top, part.width + 2 * pad, height);
        context.fillStyle = part.ink;
        context.fillText(part.text, left + pad, place.top + height - pad - fontPx * 0.15);
        left += part.width + 2 * pad;
    }
}

// Above the box, inside at the top, below, inside at the bottom: those that lie in the picture.
function placesOf({ left, top, bottom }, { width, height }, picture) {
    const x = Math.max(picture.x, Math.min(left - 1, picture.x + picture.width - width));
    return [top - height, top, bottom, bottom - height]
        .filter((y) => y >= picture.y && y + height <= picture.y + picture.height)
        .map((y) => ({ left: x, top: y, right: x + width, bottom: y + height }));
}

function isFree(place, placed) {
    return !placed.some((other) => overlaps(place, other));
}

function overlaps(one, other) {
    return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

const inks = new Map();

// Black or white, whichever contrasts more (WCAG 2.2).
function inkOn(color) {
    if (!inks.has(color)) {
        const [red, green, blue] = [1, 3, 5].map((at) => {
            const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
            return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        inks.set(color, 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff");
    }
    return inks.get(color);
}
