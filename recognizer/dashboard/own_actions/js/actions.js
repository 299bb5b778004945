// A set of actions: what the server says of it, and every change. Only this module talks to the server.

import { Api } from "../../workbench/js/api.js";
import { Latest } from "../../workbench/js/latest.js";
import { remembered } from "../../workbench/js/memory.js";

// Events: "set" and "measured" when there is news of them, "problem" with a sentence in its detail.
export class Actions extends EventTarget {
    // base: the absolute address of the set, with a slash at its end
    constructor(base) {
        super();
        this.api = new Api(base);
        this.set = null;
        this.measured = null;
        this.changes = Promise.resolve();
        this.measuring = new Latest(() => this.api.json("measured"));
    }

    load() {
        return this.tell(async () => this.adopt(await this.api.json("set")));
    }

    // So that the first search need not wait.
    prepare() {
        return this.tell(() => this.api.json("prepare", { analyses: remembered("analyses") }));
    }

    // The page knows of another revision, as after an import.
    refresh(revision) {
        if (this.set && this.set.revision !== revision) this.load();
    }

    // One after the other; answers with whether it is done. fields: see ../requests.py
    change(type, fields = {}) {
        return this.next(async () => this.adopt(await this.api.json("change", { type, ...fields })));
    }

    // Make moments examples; answers with how many are. action: null for none of these
    name(moments, action) {
        const body = {
            action,
            moments: moments.map(({ analysisId, personId, startS, endS }) => ({ analysisId, personId, startS, endS })),
        };
        return this.next(async () => {
            const { actions, added } = await this.api.json("name", body);
            this.adopt(actions);
            return added;
        });
    }

    questions() {
        return this.api.json("questions", { analyses: remembered("analyses") });
    }

    alike(example) {
        return this.api.json("alike", { example, analyses: remembered("analyses") });
    }

    groups() {
        return this.api.json("groups", { analyses: remembered("analyses") });
    }

    // The addresses of an example's pictures.
    pictures({ id, pictures }) {
        return Array.from({ length: pictures }, (_, k) => this.api.url(`picture/${id}/${k}`));
    }

    get names() {
        return this.set ? this.set.rows.map(({ name }) => name).filter((name) => name !== null) : [];
    }

    next(work) {
        const done = this.changes.then(() => this.tell(work));
        this.changes = done;
        return done;
    }

    // Answers with null if it fails; then everybody hears why.
    async tell(work) {
        try {
            return await work() ?? true;
        } catch (error) {
            this.dispatchEvent(new CustomEvent("problem", { detail: error.message }));
            return null;
        }
    }

    adopt(set) {
        this.set = set;
        this.dispatchEvent(new Event("set"));
        this.measure();
    }

    async measure() {
        try {
            const measured = await this.measuring.ask(null);
            if (!measured) return; // a later change asks again
            this.measured = measured;
        } catch {
            return; // as above
        }
        this.dispatchEvent(new Event("measured"));
    }
}
