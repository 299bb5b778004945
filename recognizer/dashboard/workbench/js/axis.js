// The time axis: which stretch of the video is in view, where a time lies in px, which ticks fit, and times in words.

import { clock } from "./dom.js";

const LONG_VIDEO_S = 120; // from this duration on, times read as minutes and seconds, as in plots/time_axis.py
const LEAST_FRAMES = 8; // the closest zoom
const LEAST_SPAN_S = 0.2;
const TICK_GAP_PX = 20;
const CHAR_PX = 6.6; // a digit at the axis' font size
// a tick's step and the number of finer steps in it
const STEPS = [
    [0.01, 5], [0.02, 4], [0.05, 5], [0.1, 5], [0.2, 4], [0.5, 5], [1, 5], [2, 4], [5, 5], [10, 5], [15, 3], [30, 3],
    [60, 6], [120, 4], [300, 5], [600, 5], [900, 3], [1800, 6], [3600, 4], [7200, 4], [14_400, 4], [28_800, 4], [86_400, 4],
];

const clamp = (value, least, most) => Math.max(least, Math.min(most, value));

// The visible stretch `[startS, startS + spanS)` within `[beginS, endS)`, over `widthPx` px.
export class TimeView {
    beginS = 0;
    endS = 1;
    startS = 0;
    spanS = 1;
    widthPx = 1;
    leastS = LEAST_SPAN_S;

    get pxPerS() {
        return this.widthPx / this.spanS;
    }

    get isZoomed() {
        return this.spanS < (this.endS - this.beginS) * 0.9999;
    }

    // Set the ends of the time. A view of everything still shows everything; another one stays where it was.
    setBounds(beginS, endS, frameRateHz) {
        const wasZoomed = this.isZoomed;
        this.beginS = beginS;
        this.endS = Math.max(endS, beginS + 0.001);
        this.leastS = Math.max(LEAST_SPAN_S, LEAST_FRAMES / (frameRateHz || 25));
        if (wasZoomed) this.show(this.startS, this.startS + this.spanS);
        else this.showAll();
    }

    xOf(timeS) {
        return (timeS - this.startS) * this.pxPerS;
    }

    timeAt(x) {
        return clamp(this.startS + x / this.pxPerS, this.beginS, this.endS);
    }

    contains(timeS) {
        return timeS >= this.startS && timeS <= this.startS + this.spanS;
    }

    show(startS, endS) {
        const wholeS = this.endS - this.beginS;
        this.spanS = clamp(endS - startS, Math.min(this.leastS, wholeS), wholeS);
        const middleS = (startS + endS) / 2;
        this.startS = clamp(middleS - this.spanS / 2, this.beginS, this.endS - this.spanS);
    }

    showAll() {
        this.show(this.beginS, this.endS);
    }

    // Zoom in by a factor above 1, or out; the time `atS` keeps its place unless an end of the video is in the way.
    zoom(factor, atS) {
        const wholeS = this.endS - this.beginS;
        const spanS = clamp(this.spanS / factor, Math.min(this.leastS, wholeS), wholeS);
        const startS = atS - ((atS - this.startS) / this.spanS) * spanS;
        this.show(startS, startS + spanS);
    }

    // The ends of a view that is as long as this one, or longer if needed, with this stretch in its middle.
    around(startS, endS) {
        const spanS = Math.max(this.spanS, (endS - startS) * 1.1);
        const middleS = (startS + endS) / 2;
        return [middleS - spanS / 2, middleS + spanS / 2];
    }

    pan(byS) {
        this.show(this.startS + byS, this.startS + byS + this.spanS);
    }
}

// Return the ticks in view as `{timeS, text}`, and the times of the finer ticks between them.
export function ticksOf(view) {
    const fitting = STEPS.find(([stepS]) => stepS * view.pxPerS >= labelPx(view, stepS));
    const [stepS, parts] = fitting ?? STEPS.at(-1);
    const finerS = stepS / parts;
    const ticks = [];
    const finer = [];
    const last = Math.floor((view.startS + view.spanS) / finerS);
    for (let k = Math.ceil(view.startS / finerS); k <= last; k++) {
        if (k % parts) finer.push(k * finerS);
        else ticks.push({ timeS: k * finerS, text: tickText((k / parts) * stepS, stepS, view.endS) });
    }
    return { ticks, finer };
}

function labelPx(view, stepS) {
    return tickText(view.startS + view.spanS, stepS, view.endS).length * CHAR_PX + TICK_GAP_PX;
}

function tickText(timeS, stepS, endS) {
    const digits = stepS >= 1 ? 0 : Math.ceil(-Math.log10(stepS) - 1e-9);
    return endS < LONG_VIDEO_S ? `${timeS.toFixed(digits)} s` : clock(timeS, digits);
}

// Return `3.2 s`, or `2:03.2` in a long video.
export function moment(timeS, endS, digits = 1) {
    return endS < LONG_VIDEO_S ? `${timeS.toFixed(digits)} s` : clock(timeS, digits);
}

// Return `3.2 s – 5.9 s (2.7 s)`, or `2:03.2 – 2:05.9 (2.7 s)` in a long video.
export function spanInWords(startS, endS, videoEndS) {
    return `${moment(startS, videoEndS)} – ${moment(endS, videoEndS)} (${(endS - startS).toFixed(1)} s)`;
}
