// The runs of this visitor: fetched, kept up to date, searched and sorted. Only this module talks to the server.

import { Api } from "../../workbench/js/api.js";
import { remembered, setPerson } from "../../workbench/js/memory.js";
import { isUpload } from "./words.js";

const POLL_MS = 2000; // while something runs
const LOOK_MS = 30_000; // otherwise: another tab may have begun something

const UNFINISHED = new Set(["waiting", "running"]);

const ORDERS = {
    name: (run) => run.name.toLowerCase(),
    length: (run) => run.durationS ?? -1,
    people: (run) => run.people ?? -1,
    classifier: (run) => run.classifier.toLowerCase(),
    state: (run) => (isUpload(run) ? 5 : ["running", "waiting", "failed", "cancelled", "done"].indexOf(run.state)),
    date: (run) => Date.parse(run.removed ?? run.created),
    size: (run) => run.bytes,
};

// "change" tells that another list is to be shown, "problem" that something went wrong.
export class Runs extends EventTarget {
    constructor({ api, app, person }) {
        super();
        setPerson(person);
        this.app = app;
        this.api = new Api(api);
        this.runs = [];
        this.isLoaded = false;
        this.wanted = { text: "", kind: "", state: "", tag: "", removed: false };
        this.order = { by: "date", descending: true };
    }

    // Load the list, and again now and then.
    follow(signal) {
        this.signal = signal;
        document.addEventListener("visibilitychange", () => { if (!document.hidden) this.refresh(); }, { signal });
        signal.addEventListener("abort", () => clearTimeout(this.timer));
        return this.load();
    }

    get ids() {
        return [...remembered("analyses"), ...remembered("comparisons")];
    }

    async load() {
        const { removed } = this.wanted;
        const answer = await this.ask("runs", { ids: this.ids, removed });
        if (answer && removed === this.wanted.removed) {
            Object.assign(this, answer, { isLoaded: true });
            this.tell();
        }
        this.wait();
    }

    // Ask for what may have changed: what runs, and now and then for everything.
    async refresh() {
        const only = this.runs.filter(({ state }) => UNFINISHED.has(state)).map(({ id }) => id);
        if (!only.length || this.wanted.removed) {
            await this.load();
            return;
        }
        const answer = await this.ask("runs", { only });
        const known = new Map((answer?.runs ?? []).map((run) => [run.id, run]));
        const isOver = (answer?.runs ?? []).some(({ state }) => !UNFINISHED.has(state));
        if (isOver || (answer && known.size < only.length)) {
            await this.load(); // what it takes on the disk has changed as well
            return;
        }
        this.runs = this.runs.map((run) => known.get(run.id) ?? run);
        this.tell();
        this.wait();
    }

    wait() {
        clearTimeout(this.timer);
        if (this.signal.aborted) return;
        const runs = this.runs.some(({ state }) => UNFINISHED.has(state));
        this.timer = setTimeout(() => (document.hidden ? this.wait() : this.refresh()), runs ? POLL_MS : LOOK_MS);
    }

    async change(kind, run, more = {}) {
        const done = await this.ask("change", { type: kind, id: run.id, ...more });
        if (done) await this.load();
        return Boolean(done);
    }

    async ask(path, body) {
        try {
            return await this.api.json(path, body);
        } catch (error) {
            this.dispatchEvent(new CustomEvent("problem", { detail: error.message }));
            return null;
        }
    }

    tell() {
        this.dispatchEvent(new Event("change"));
    }

    // Show what fits, for example {kind: "analysis"}.
    want(wanted) {
        const before = this.wanted.removed;
        Object.assign(this.wanted, wanted);
        if (before === this.wanted.removed) this.tell();
        else this.load();
    }

    orderBy(by) {
        const isSame = this.order.by === by;
        this.order = { by, descending: isSame ? !this.order.descending : ["date", "size", "length", "people"].includes(by) };
        this.tell();
    }

    get shown() {
        const { text, kind, state, tag } = this.wanted;
        const words = text.toLowerCase().split(/\s+/).filter(Boolean);
        const fits = (run) => (!kind || run.kind === kind)
            && (!state || (run.state === state && !isUpload(run)) || (state === "unfinished" && UNFINISHED.has(run.state)))
            && (!tag || run.tags.includes(tag))
            && words.every((word) => haystack(run).includes(word));
        const key = ORDERS[this.order.by];
        const sign = this.order.descending ? -1 : 1;
        return this.runs.filter(fits).toSorted((one, other) => sign * compare(key(one), key(other)));
    }

    get tags() {
        return [...new Set(this.runs.flatMap(({ tags }) => tags))].toSorted((one, other) => one.localeCompare(other));
    }

    // Where a run opens.
    address({ kind, result }) {
        const id = encodeURIComponent(result);
        const places = { comparison: `compare?comparison=${id}`, live: `live?run=${id}` };
        return new URL(places[kind] ?? `?run=${id}`, this.app).href;
    }
}

function compare(one, other) {
    if (one === other) return 0;
    return one < other ? -1 : 1;
}

function haystack(run) {
    return [run.name, run.video, run.classifier, ...run.tags].join("\n").toLowerCase();
}
