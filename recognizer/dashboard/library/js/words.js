// Sizes, times and states in words.

import { clock } from "../../workbench/js/dom.js";

export const KINDS = { analysis: "Analysis", comparison: "Comparison", live: "Live session", drawing: "Annotated video", video: "Video", file: "Weights or labels" };

const STATES = { waiting: "Waiting", running: "Running", done: "Done", cancelled: "Cancelled", failed: "Failed" };

// Decimal, as disks and downloads are labelled.
export function size(bytes) {
    if (!bytes) return "";
    const units = ["kB", "MB", "GB", "TB"];
    let value = bytes / 1000;
    let unit = 0;
    while (value >= 999.5 && unit < units.length - 1) {
        value /= 1000;
        unit += 1;
    }
    return `${value < 9.95 && unit > 0 ? value.toFixed(1) : Math.max(1, Math.round(value))} ${units[unit]}`;
}

export function length(durationS) {
    return durationS === null ? "" : clock(durationS, 0);
}

const SAME_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const OTHER_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

export function date(text) {
    const time = new Date(text);
    return (time.getFullYear() === new Date().getFullYear() ? SAME_YEAR : OTHER_YEAR).format(time);
}

export function exactDate(text) {
    return EXACT.format(new Date(text));
}

// What was uploaded, and is no run.
export const isUpload = ({ kind }) => kind === "video" || kind === "file";

export function stateOf({ kind, state, progress, place, startsInS }) {
    if (kind === "video") return "Not analysed";
    if (kind === "file") return "";
    if (state === "running") return progress > 0 ? `${Math.floor(100 * progress)} %` : "Running";
    if (state !== "waiting" || !place) return STATES[state];
    const when = startsInS === null ? "" : `, in about ${duration(startsInS)}`;
    return `${place === 1 ? "Next" : `${place - 1} ahead`}${when}`;
}

function duration(valueS) {
    if (valueS < 90) return `${Math.max(1, Math.round(valueS))} s`;
    const minutes = Math.round(valueS / 60);
    return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

export function counted(count, what) {
    return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}
