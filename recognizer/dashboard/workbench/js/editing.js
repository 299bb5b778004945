// Corrections by mouse, finger and keyboard. Each is an edit that the server keeps; see edits.js.

import { playheadOf } from "./around.js";
import { Menus } from "./menus.js";
import { Dragging } from "./merging.js";
import { moveEdge } from "./segment_acts.js";
import { Strip } from "./strip.js";
import { Teaching } from "./teaching.js";
import { Tools } from "./tools.js";

const READ_ONLY = "This lane shows what the network said; correct the other lane of this person.";
const CHANGED = "something shown here was changed elsewhere; what you see now includes that";
const ONLY_LOOKS = "Only who analysed this video may correct it, or an operator.";

export class Editing {
    // root: the workbench's outermost element, for menus; stage: the picture's; tools: an empty element for buttons
    constructor(root, model, player, lanes, { stage, tools, voice }) {
        Object.assign(this, { root, model, player, lanes, voice });
        this.queue = Promise.resolve();
        this.tools = new Tools(tools, this);
        this.strip = new Strip(this, this.tools.review);
        tools.parentElement.append(this.strip.element);
        this.teaching = new Teaching(this, stage);
        this.dragging = new Dragging(root, this);
        this.menus = new Menus(root, this);
        lanes.host.addEventListener("edge-drag", ({ detail: { row, side, toS } }) => {
            this.onSegment((one) => moveEdge(this, one, side, toS), row);
        });
    }

    get isOff() {
        return !this.model.segments || this.model.timeline.readOnly;
    }

    get onlyLooks() {
        return this.model.timeline.lanes.every(({ readOnly }) => readOnly);
    }

    // --- what is there ---

    get playheadS() {
        return playheadOf(this.model);
    }

    get selected() {
        const { model } = this;
        return model.selection === null || !model.segments ? null : model.segment(model.selection);
    }

    get selectedLane() {
        const { timeline, selectedLane } = this.model;
        const lanes = timeline?.lanes ?? [];
        return lanes.find(({ key }) => key === selectedLane) ?? (lanes.length === 1 ? lanes[0] : null);
    }

    // Where a person's name stands: in the list, or else the strip.
    placeOf(lane) {
        const name = this.root.querySelector(`[data-lane="${CSS.escape(lane.key)}"] .name`);
        return isInSight(name) ? name.getBoundingClientRect() : this.strip.person.getBoundingClientRect();
    }

    // --- one after the other: an edit is made from what the one before left ---

    next(work) {
        this.queue = this.queue.then(() => (this.ended || this.isOff ? null : work())).catch((error) => {
            console.error(error);
            this.model.emit("problem", { message: error.message });
        });
        return this.queue;
    }

    // Do something with the segment that is selected now, as it is when its turn comes. `changes`: whether that changes it
    onSegment(work, row = this.model.selection, changes = true) {
        if (this.isOff) return null;
        if (row === null) return this.voice.note("Select a segment first.");
        const { lane, startS, endS } = this.model.segment(row);
        if (changes && lane.readOnly) return this.voice.note(this.onlyLooks ? ONLY_LOOKS : READ_ONLY);
        return this.next(() => {
            const { model } = this;
            const now = model.rowAt(model.laneIndex(lane.key), (startS + endS) / 2);
            return now === null ? this.voice.note("That segment is gone.") : work(model.segment(now));
        });
    }

    runOnSegment(command) {
        return this.onSegment((one) => this.run(command, one), this.model.selection, !command.keeps);
    }

    runOnLane(command, lane = this.selectedLane, at = undefined) { // eslint-disable-line no-undefined
        if (this.isOff) return null;
        if (!lane) return this.voice.note("Select a person first.");
        return this.next(() => this.run(command, this.model.editableLane(lane), at));
    }

    run(command, target, at) {
        const reason = command.off?.(this, target);
        return reason ? this.voice.note(reason) : command.run(this, target, at);
    }

    undo() {
        return this.next(() => (this.teaching.undoTitle ? this.teaching.takeBack() : this.take("undo", "Undone", "redo")));
    }

    redo() {
        return this.next(() => this.take("redo", "Done again", "undo"));
    }

    async take(step, word, back) {
        const { model } = this;
        // nobody takes back what they have not seen
        if (await model.catchUp() || model.takeUnseen(step)) return this.voice.tell(`Nothing was ${word.toLowerCase()}, because ${CHANGED}.`);
        if (!model.timeline[step]) return this.voice.note(`There is nothing to ${step}.`);
        const isDone = await this.saving(model[step](), `${word}.`);
        return isDone && this.voice.say(`${word}: ${model.timeline[back]}`);
    }

    // Store an edit, say it, and select what was edited: what the person does at a time. Answers whether it was stored.
    async store(edit, said, atS = (edit.start_s + edit.end_s) / 2, personId = edit.person_id) {
        const { model } = this;
        const before = this.selected;
        if (!await this.saving(model.applyEdits([edit]), said)) return false;
        const now = this.selected;
        const isOther = before && now && (now.lane.key !== before.lane.key || now.startS >= before.endS || now.endS <= before.startS);
        const lane = model.shownLanes.find((one) => one.personId === personId);
        // a key that was pressed meanwhile may have selected another
        if (lane && Number.isFinite(atS) && !isOther) model.selectLane(lane.key, atS);
        this.voice.say(said);
        return true;
    }

    async saving(answer, said) {
        this.tools.show("Saving…");
        const hadFocus = this.root.getRootNode().activeElement !== null;
        const isStored = await answer;
        // the button that was pressed may be gone
        if (hadFocus && !this.root.getRootNode().activeElement) this.root.focus({ preventScroll: true });
        this.tools.show(isStored ? this.saved() : "Not saved");
        if (isStored) this.voice.say(said);
        else if (!await this.model.catchUp()) await this.model.refresh(null); // another tab may have changed what it was about
        return isStored;
    }

    // The server keeps what it cannot store, for example on a full disk; the page says why.
    saved() {
        return this.model.timeline.isSaved ? "Saved" : "Kept, not saved yet";
    }

    end() {
        this.ended = true;
        this.strip.end();
        this.teaching.end();
    }
}

function isInSight(place) {
    if (!place?.checkVisibility()) return false;
    const box = place.getBoundingClientRect();
    const list = place.closest(".cards")?.getBoundingClientRect() ?? box;
    return box.top >= Math.max(0, list.top) && box.bottom <= Math.min(globalThis.innerHeight, list.bottom);
}
