// What the workbench shows: the timeline, its segments at the chosen thresholds, the current time and the selection.
//
// Events: "timeline" (another document), "player" (the video's copy went on), "segments", "seconds" (the second labels of
// the same segments have been counted), "time", "selection", "boxes" (more of them have come), "overlay" (what is drawn
// over the video), "theme", "problem" (with `message`), "elsewhere" (what is shown now has changes that were not made here).

import { BoxStore } from "./boxes.js";
import { Latest } from "./latest.js";

const PREPARING_MS = 1000; // how often what is still made is asked for: a copy of the video, the movement

export class Model extends EventTarget {
    // view: {minConfidence, minDurationS, showsBrief, filter}, the body of a request for segments
    constructor(api, view) {
        super();
        this.api = api;
        this.view = view;
        this.timeline = null;
        this.segments = null; // columnar, as the server sends it
        this.frames = new Float64Array(0); // presentation times of all frames, ascending
        this.shownLanes = []; // the timeline's lanes that the segments' column `lane` counts
        this.timeS = 0;
        this.selection = null; // a row of the segments
        this.selectedLane = null; // the key of a lane
        this.overlay = { boxes: true, names: true, labels: true, without: new Set() }; // `without`: keys of lanes
        this.theme = { dark: false };
        this.boxes = new BoxStore(api, () => this.emit("boxes"));
        this.wanted = new Latest((asked) => this.api.segments(asked));
        this.guesses = new Map();
        this.open = 0; // changes of this tab that are on their way
        this.known = null; // {revision, undo, redo}: the latest that was made here, or that was noticed
        this.pageRevision = 0; // the latest that the page around the workbench has shown
        this.unseen = {}; // what undo and redo would do since a page's redraw, by step
        this.told = 0; // how often it was said that something was changed elsewhere
    }

    // --- loading ---

    load() {
        this.loaded = this.attempt(async () => {
            const [timeline, frames] = await Promise.all([this.api.timeline(), this.api.frames()]);
            this.frames = frames;
            await this.adopt(timeline);
        });
        return this.loaded;
    }

    // Load again what another tab or the page has changed. revision: as the page shows it, or null
    async refresh(revision) {
        this.pageRevision = Math.max(this.pageRevision, revision);
        await this.loaded; // what is being loaded may be older
        if (!this.timeline) await this.load(); // the first try failed
        else if (this.timeline.revision !== revision) await this.attempt(() => this.reload());
    }

    async reload() {
        await this.adopt(await this.api.timeline());
    }

    // Another tab may have changed something while this one was not looked at. Answers whether that was said.
    catchUp() {
        this.catching ??= this.look().finally(() => { this.catching = null; });
        return this.catching;
    }

    async look() {
        if (!this.timeline || this.timeline.readOnly || this.open) return false; // what answers a change brings all
        const { told } = this;
        await this.attempt(async () => {
            if (await this.api.revision() !== this.timeline.revision) await this.reload();
        });
        this.notice();
        return this.told > told;
    }

    // Say it, once, if what is shown has changes that were not made here.
    notice() {
        const { timeline, known } = this;
        if (timeline.readOnly || this.open || timeline.revision <= known?.revision) return;
        const { revision, undo, redo } = timeline;
        this.known = { revision, undo, redo };
        if (!known) return; // it was loaded for the first time
        if (revision <= this.pageRevision) {
            // the page may have made them itself: they stay unsaid until undo would take them back
            for (const step of ["undo", "redo"]) if (timeline[step] !== known[step]) this.unseen[step] = timeline[step];
            return;
        }
        this.unseen = {};
        this.told += 1;
        this.emit("elsewhere");
        this.emit("edited"); // the page around the workbench shows it too
    }

    // Whether undo (or redo) would do what a redraw of the page brought and nobody was told. Answers so once.
    takeUnseen(step) {
        const title = this.timeline[step];
        const isUnseen = Boolean(title) && title === this.unseen[step];
        if (isUnseen) this.unseen = {};
        return isUnseen;
    }

    async adopt(timeline) {
        const before = this.timeline;
        // an answer may come after a later one; a comparison's numbers are those of a page
        if (before && !timeline.readOnly && timeline.revision < before.revision) return;
        this.timeline = timeline;
        if (!before || before.revision !== timeline.revision) this.boxes.clear();
        this.showLanes();
        this.emit("timeline");
        this.followCopy();
        await this.loadSegments();
    }

    followCopy() {
        clearTimeout(this.copyTimer);
        const { player, movementReady } = this.timeline;
        if (player.state !== "preparing" && movementReady !== false) return;
        this.copyTimer = setTimeout(() => this.attempt(async () => {
            const now = await this.api.timeline();
            this.timeline.player = now.player;
            this.emit("player");
            this.takeMovement(now);
            this.followCopy();
        }), PREPARING_MS);
    }

    // The movement of many people in a long video is measured while they are shown already.
    takeMovement(now) {
        const isNews = now.movementReady && this.timeline.movementReady === false;
        if (!isNews || now.revision !== this.timeline.revision) return;
        this.timeline = now;
        this.showLanes();
        this.emit("timeline");
    }

    async loadSegments() {
        clearTimeout(this.secondsTimer);
        const { view } = this;
        const segments = await this.wanted.ask(view);
        if (!segments) return; // a later view has been asked for
        if (segments.revision !== this.timeline.revision) {
            this.timeline = await this.api.timeline();
            this.emit("timeline");
        }
        const selected = this.selection === null ? null : this.segment(this.selection);
        this.segments = segments;
        this.shownView = view;
        this.firstRows = firstRows(segments);
        this.guesses = new Map(); // an answer that is on its way belongs to the former
        this.showLanes();
        this.selection = selected && this.rowAt(this.laneIndex(selected.lane.key), (selected.startS + selected.endS) / 2);
        this.emit("segments");
        if (selected) this.emit("selection");
        this.notice();
        this.followSeconds(PREPARING_MS);
    }

    // The second labels of many segments are counted while these are shown already.
    followSeconds(afterMs) {
        if (this.segments.isComplete || this.closed) return;
        this.secondsTimer = setTimeout(() => this.attempt(async () => {
            const now = this.shownView === this.view ? await this.wanted.ask(this.view) : null;
            if (now?.revision !== this.segments.revision || this.shownView !== this.view) return; // others are on their way
            const { actions, colors, patterns, second, isComplete } = now;
            Object.assign(this.segments, { actions, colors, patterns, second, isComplete });
            this.emit("seconds");
            this.followSeconds(2 * afterMs);
        }), afterMs);
    }

    showLanes() {
        const byKey = new Map(this.timeline.lanes.map((lane) => [lane.key, lane]));
        const keys = this.segments ? this.segments.lanes : [...byKey.keys()];
        // a lane that has just gone (merged, hidden) keeps its place until the segments come
        const old = new Map(this.shownLanes.map((lane) => [lane.key, lane]));
        this.shownLanes = keys.map((key) => byKey.get(key) ?? old.get(key)).filter(Boolean);
    }

    // --- what is shown ---

    // While a slider moves, at most one request is on its way; the latest position wins.
    async setView(changes) {
        this.view = { ...this.view, ...changes };
        await this.attempt(() => this.loadSegments());
    }

    setTheme(theme) {
        this.theme = theme;
        this.emit("theme");
    }

    setOverlay(changes) {
        Object.assign(this.overlay, changes);
        this.emit("overlay");
    }

    // Only the player calls this.
    setTime(timeS) {
        if (timeS === this.timeS) return;
        this.timeS = timeS;
        this.emit("time");
    }

    // --- segments ---

    get rows() {
        return this.segments ? this.segments.lane.length : 0;
    }

    segment(row) {
        const { segments, theme } = this;
        const laneIndex = segments.lane[row];
        const action = segments.action[row];
        const second = segments.second[row];
        return {
            row,
            laneIndex,
            lane: this.shownLanes[laneIndex],
            action: segments.actions[action],
            color: segments.colors[theme.dark ? "dark" : "light"][action],
            startS: segments.startS[row],
            endS: segments.endS[row],
            confidence: segments.confidence[row],
            source: segments.source[row] ? "human" : "machine",
            checked: Boolean(segments.checked[row]),
            second: second < 0 ? null : segments.actions[second],
        };
    }

    // Whether a row may be corrected; what the network said beside own names may not.
    isEditable(row) {
        return !this.shownLanes[this.segments.lane[row]]?.readOnly;
    }

    // The lane of the same person that can be corrected.
    editableLane(lane) {
        return this.timeline.lanes.find(({ personId, readOnly }) => personId === lane.personId && !readOnly) ?? lane;
    }

    laneIndex(key) {
        return this.shownLanes.findIndex((lane) => lane.key === key);
    }

    // The rows of a lane are those from the first up to the second number.
    rowsOf(laneIndex) {
        const first = this.firstRows;
        return laneIndex < 0 || !first ? [0, 0] : [first[laneIndex], first[laneIndex + 1]];
    }

    // The row of a lane at a time; null where there is none.
    rowAt(laneIndex, timeS) {
        const row = this.rowBefore(laneIndex, timeS);
        return row !== null && timeS < this.segments.endS[row] ? row : null;
    }

    // The last row of a lane that starts at or before a time; null if none does.
    rowBefore(laneIndex, timeS) {
        let [low, high] = this.rowsOf(laneIndex);
        const first = low;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.segments.startS[middle] <= timeS) low = middle + 1;
            else high = middle;
        }
        return low > first ? low - 1 : null;
    }

    // The machine's five most likely labels of a row: [[name, probability], ..]
    likely(row) {
        const { guesses } = this;
        if (!guesses.has(row)) {
            // rows are those of what is shown; another view may be on its way
            guesses.set(row, this.api.likely(this.shownView, row).then(({ labels }) => labels));
            guesses.get(row).catch(() => guesses.delete(row)); // the next one who asks tries again
        }
        return guesses.get(row);
    }

    // The people in the picture: [{laneIndex, lane, box: [x1, y1, x2, y2] in shares of the picture}, ..]
    boxesAt(timeS) {
        return this.boxes.at(timeS, this.shownLanes);
    }

    // --- selection ---

    // Select a row and its lane, or nothing.
    select(row) {
        const lane = row === null ? null : this.segment(row).lane.key;
        if (row === this.selection && lane === this.selectedLane) return;
        this.selection = row;
        this.selectedLane = lane;
        this.emit("selection");
    }

    // Select a lane, and its row at a time if there is one.
    selectLane(key, timeS = null) {
        this.selectedLane = key;
        this.selection = timeS === null ? null : this.rowAt(this.laneIndex(key), timeS);
        this.emit("selection");
    }

    // --- corrections; each answers whether it was stored ---

    applyEdits(edits) {
        return this.change(() => this.api.edits(edits));
    }

    undo() {
        return this.change(() => this.api.undo());
    }

    redo() {
        return this.change(() => this.api.redo());
    }

    change(send) {
        return this.attempt(() => this.ownChange(async () => {
            const timeline = await send();
            const { revision, undo, redo } = timeline;
            this.known = { revision: Math.min(this.known.revision + 1, revision), undo, redo }; // a change is one step
            await this.adopt(timeline);
            this.emit("edited");
        }));
    }

    // Do what changes something, and let nobody take it for another tab's.
    async ownChange(work) {
        this.open += 1;
        try {
            return await work();
        } finally {
            this.open -= 1;
            this.notice();
        }
    }

    // --- events ---

    emit(type, detail = {}) {
        this.dispatchEvent(Object.assign(new Event(type), detail));
    }

    async attempt(work) {
        try {
            await work();
            return true;
        } catch (error) {
            if (this.closed) return false;
            console.warn(error);
            this.emit("problem", { message: error.message });
            return false;
        }
    }

    close() {
        this.closed = true;
        clearTimeout(this.copyTimer);
        clearTimeout(this.secondsTimer);
    }
}

// Where the rows of each lane begin, and the number of rows at the end.
function firstRows({ lane, lanes }) {
    const first = Array.from({ length: lanes.length + 1 }, () => lane.length);
    for (let row = lane.length - 1; row >= 0; row -= 1) first[lane[row]] = row;
    for (let index = lanes.length - 1; index >= 0; index -= 1) first[index] = Math.min(first[index], first[index + 1]);
    return first;
}
