// What the keys do: one table, which is also the list that "?" shows.

import { KEYS as EDITING_KEYS } from "./commands.js";
import { element } from "./dom.js";
import { LANE_KEYS } from "./lanes_keys.js";
import { RATES } from "./player.js";

const SECOND_S = 1;

// keys as `KeyboardEvent.key`, with "Shift+" before arrows; shown: how people read them
export const KEYS = [
    { keys: [" "], shown: "Space", title: "Play or pause", run: ({ player }) => player.toggle() },
    { keys: ["ArrowLeft"], shown: "←", title: "Back one frame", run: ({ player }) => player.step(-1) },
    { keys: ["ArrowRight"], shown: "→", title: "Forward one frame", run: ({ player }) => player.step(1) },
    { keys: ["Shift+ArrowLeft"], shown: "Shift ←", title: "Back one second", run: (bench) => bench.jump(-SECOND_S) },
    { keys: ["Shift+ArrowRight"], shown: "Shift →", title: "Forward one second", run: (bench) => bench.jump(SECOND_S) },
    { keys: ["j"], shown: "J", title: "Play backwards; again, faster", run: (bench) => bench.shuttle(-1) },
    { keys: ["k"], shown: "K", title: "Pause", run: ({ player }) => player.pause() },
    { keys: ["l"], shown: "L", title: "Play; again, faster", run: (bench) => bench.shuttle(1) },
    { keys: ["["], shown: "[", title: "The person's previous segment", run: (bench) => bench.neighbor(-1) },
    { keys: ["]"], shown: "]", title: "The person's next segment", run: (bench) => bench.neighbor(1) },
    { keys: [","], shown: ",", title: "A more certain segment", run: (bench) => bench.uncertain(-1) },
    { keys: ["."], shown: ".", title: "The next least certain segment", run: (bench) => bench.uncertain(1) },
    { keys: ["+", "="], shown: "+", title: "Zoom in", run: ({ lanes }) => lanes.zoom(2) },
    { keys: ["-"], shown: "−", title: "Zoom out", run: ({ lanes }) => lanes.zoom(0.5) },
    ...LANE_KEYS,
    ...EDITING_KEYS,
    { keys: ["?"], shown: "?", title: "Show or hide this list", run: (bench) => bench.showList() },
];
const FIELDS = "input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable], [role=menu], dialog";

export class Keys {
    constructor(bench, { model, player, lanes, voice, editing }) {
        Object.assign(this, { bench, model, player, lanes, voice, editing });
        this.table = new Map(KEYS.flatMap((one) => one.keys.map((key) => [key, one])));
        bench.addEventListener("keydown", (event) => this.press(event));
        // a click anywhere in the workbench lets its keys work
        bench.addEventListener("pointerdown", (event) => {
            if (!event.target.closest("button, input, select, textarea, [tabindex]:not(.bench)")) bench.focus({ preventScroll: true });
        });
    }

    press(event) {
        if (event.defaultPrevented || event.altKey) return;
        const { target } = event;
        if (target.closest(FIELDS)) return;
        // a slider has its own arrows, and a button is pressed with the space bar
        if (target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
        if (target.matches("button, input[type=checkbox], [role=option]") && event.key === " ") return;
        const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
        const isModified = event.ctrlKey || event.metaKey;
        const shift = event.shiftKey && (isModified || name.startsWith("Arrow")) ? "Shift+" : "";
        const command = this.table.get(`${isModified ? "Mod+" : ""}${shift}${name}`);
        if (!command) return;
        event.preventDefault();
        event.stopPropagation(); // the app has keys of its own
        command.run(this, name);
    }

    jump(byS) {
        this.player.seek(this.model.timeS + byS);
    }

    // Each press in the same direction doubles the speed.
    shuttle(direction) {
        const { player } = this;
        const isSame = player.playing && Math.sign(player.clock.running ? player.clock.rate : 1) === direction;
        player.setRate(isSame ? Math.min(2 * player.rate, RATES.at(-1)) : 1);
        if (direction < 0) player.playBackwards(player.rate);
        else if (!isSame) player.play();
    }

    // The segment before or after the selected one, or around the current time, in the lane of the selected person.
    neighbor(step) {
        const { model } = this;
        if (!model.segments) return;
        const laneIndex = Math.max(0, model.laneIndex(model.selectedLane));
        const [first, end] = model.rowsOf(laneIndex);
        const before = model.rowBefore(laneIndex, model.timeS);
        const around = before ?? first - 1;
        const from = model.selection ?? (step < 0 ? around + 1 : around);
        const row = from + step;
        if (row >= first && row < end) this.go(row);
    }

    // The machine's segments that nobody has checked, the least certain first.
    uncertain(step) {
        const { model } = this;
        if (!model.segments) return;
        const rows = uncertainRows(model);
        if (!rows.length) {
            this.voice.note("Every segment is checked.");
            return;
        }
        const next = (this.placeAfter(rows, step) + rows.length) % rows.length;
        this.go(rows[next]);
        this.review = { rank: next, name: nameOf(model, rows[next]) };
        this.voice.note(`Least certain: ${next + 1} of ${rows.length}`);
    }

    // On from the one that the last press went to; from anywhere else, begin again.
    placeAfter(rows, step) {
        const { review, model } = this;
        if (review && model.selection !== null && nameOf(model, model.selection) === review.name) {
            const rank = rows.indexOf(model.selection);
            if (rank >= 0) return rank + step;
            return step > 0 ? review.rank : review.rank - 1; // it is checked now, and the next one has its place
        }
        return step > 0 ? 0 : -1;
    }

    go(row) {
        this.model.select(row);
        this.player.seek(this.model.segment(row).startS);
    }

    showList() {
        if (this.list?.open) return this.list.close();
        if (!this.list) {
            this.list = element(
                "dialog",
                { class: "keys", "aria-label": "Keys" },
                element("h3", {}, "Keys"),
                element("dl", {}, ...KEYS.flatMap(({ shown, title }) => [
                    element("dt", {}, element("kbd", {}, shown)), element("dd", {}, title),
                ])),
                element("button", { type: "button", onclick: () => this.list.close() }, "Close"),
            );
            this.list.addEventListener("keydown", (event) => event.key === "?" && this.list.close());
            this.list.addEventListener("close", () => this.bench.focus({ preventScroll: true }));
            this.bench.append(this.list);
        }
        return this.list.showModal();
    }
}

// Names a segment as long as it begins where it does: row numbers change with every correction.
function nameOf(model, row) {
    const { lane, startS } = model.segment(row);
    return `${lane.key} ${startS}`;
}

export function uncertainRows(model) {
    const { segments } = model;
    if (!segments) return [];
    const rows = [];
    for (let row = 0; row < segments.lane.length; row += 1) {
        if (!segments.source[row] && !segments.checked[row] && model.isEditable(row)) rows.push(row);
    }
    return rows.toSorted((one, other) => segments.confidence[one] - segments.confidence[other] || one - other);
}
