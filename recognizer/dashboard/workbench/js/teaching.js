// Teach a moment as an example of an action of the user's own, and take that back. See ../own_actions_api.py.

import { NONE_OF_THESE } from "./around.js";
import { MODIFIER } from "./commands.js";
import { namesToTeach } from "./labels.js";
import { remember, remembered } from "./memory.js";
import { pick } from "./picker.js";
import { Toast } from "./toast.js";

export class Teaching {
    constructor(editing, stage) {
        this.editing = editing;
        this.model = editing.model;
        this.toast = new Toast(editing.root, stage, editing.voice);
        this.taught = []; // {set, example, name, before, revision}, the latest last: what undo takes back
    }

    // The sets of this browser, the names of the one that is used here, and whether anything can be taught.
    known() {
        return this.model.api.actions(remembered("sets"));
    }

    // Ask for a name, and teach. stretch: {lane, startS, endS}, or a segment, whose corrected label or own name is chosen first
    async ask(stretch, at = this.editing.strip.place()) {
        const known = await this.known();
        if (known.features !== "kept") return this.toast.show(known.remark, [], { at });
        const isName = stretch.source === "human" || known.names.includes(stretch.action);
        const choice = await pick(this.editing.root, `What does ${stretch.lane.title} do here?`, at, {
            find: namesToTeach(known.names, { label: isName ? stretch.action : null, latest: this.name }),
            placeholder: "Type a name, such as “standing”",
        });
        return choice && this.teach(stretch, choice.action, at);
    }

    // Teach, and say it next to a way back. action: null for none of these
    async teach({ lane, startS, endS }, action, at = null) {
        const { editing, model } = this;
        const { personId } = lane;
        const before = model.timeline.revision;
        const request = model.api.teach({ sets: remembered("sets"), personId, startS, endS, action });
        const answer = await this.changed(request, at, (taught) => {
            remember("sets", taught.set);
            this.taught.push({ set: taught.set, example: taught.example, name: nameOf(action), before, revision: taught.timeline.revision });
        });
        if (!answer) return;
        this.name = action;
        const text = [`Taught ${nameOf(action)} in “${answer.title}”.`, answer.remark].filter(Boolean).join(" ");
        this.toast.show(text, [["Undo", () => editing.next(() => this.takeBack())]], { spoken: `${MODIFIER} Z takes it back.` });
    }

    // What undo would take back now; null if something else was done since.
    get undoTitle() {
        const latest = this.taught.at(-1);
        return latest && latest.revision === this.model.timeline?.revision ? `teach ${latest.name}` : null;
    }

    async takeBack() {
        const latest = this.taught.at(-1);
        if (!latest) return;
        const { set, example, name, before } = latest;
        const answer = await this.changed(this.model.api.forget({ set, example }), null, ({ timeline }) => {
            this.taught.pop();
            const previous = this.taught.at(-1);
            if (previous?.revision === before) previous.revision = timeline.revision; // nothing else was done between the two
        });
        if (answer) this.toast.show(`No longer taught: ${name}.`);
    }

    // Take any example back. one: as a lane has it
    async forget({ example, action }) {
        const { api, timeline: { ownSet: set } } = this.model;
        const name = nameOf(action);
        if (!await this.changed(api.forget({ set, example }))) return;
        const restore = async () => {
            if (await this.changed(api.forget({ set, example, forgotten: false }))) this.toast.show(`Taught again: ${name}.`);
        };
        this.toast.show(`No longer taught: ${name}.`, [["Undo", () => this.editing.next(restore)]]);
    }

    // After a correction: the moment is worth an example.
    async offer(stretch, action) {
        const { features } = await this.known();
        if (features !== "kept") return;
        const teach = () => this.editing.next(() => this.teach(stretch, action));
        this.toast.show(`Now “${action}”.`, [["Teach this as an example", teach]], { spoken: "T teaches it as an example." });
    }

    // Adopt the timeline of an answer; a refusal stands where the user looks.
    changed(request, at = null, adopt = () => {}) {
        const { editing, model } = this;
        return model.ownChange(async () => {
            let answer = null;
            try {
                answer = await request;
            } catch (error) {
                editing.tools.show("Not saved");
                this.toast.show(error.message, [], { at });
                return null;
            }
            adopt(answer);
            const isShown = await editing.saving(model.change(() => answer.timeline), "");
            return isShown ? answer : null;
        });
    }

    end() {
        this.toast.end();
    }
}

export function nameOf(action) {
    return `“${action ?? NONE_OF_THESE}”`;
}
