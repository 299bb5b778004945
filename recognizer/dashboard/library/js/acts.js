// What can be done with a run.

import { element } from "../../workbench/js/dom.js";
import { openMenu } from "../../workbench/js/menu.js";
import { Popup } from "../../workbench/js/popup.js";
import { KINDS, isUpload, size } from "./words.js";

const NOT_YOURS = "Only who started this run can do that.";
const ON_AIR = "The camera is running; stop it on its own page first.";
const NO_VIDEO = "The video is no longer stored; drop it in again on the page that analyses videos.";

export class Acts {
    constructor(root, runs, note, { go }) {
        Object.assign(this, { root, runs, note, go });
    }

    // Go to a page without loading everything again, unless the browser is asked for another tab.
    goTo(event, wish) {
        if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        this.go(wish);
    }

    open(event, run) {
        this.goTo(event, { id: run.id, page: "open" });
    }

    menu(run, at) {
        const isOff = !run.mayChange;
        const own = { isOff, why: NOT_YOURS };
        const isLive = run.kind === "live";
        const isRunning = ["waiting", "running"].includes(run.state);
        const whole = isLive && isRunning ? { isOff: true, why: ON_AIR } : own;
        const open = { label: "Open", run: () => this.go({ id: run.id, page: "open" }) };
        const items = isUpload(run)
            ? [...(run.kind === "video" ? [open, "-"] : []), { label: "Delete", run: () => this.remove(run, at), ...own }]
            : [
                open,
                { label: "Run again with other settings", run: () => this.go({ id: run.id, page: "again" }), isOff: isLive || !run.hasVideo, why: isLive ? "A camera's session cannot run again." : NO_VIDEO },
                "-",
                { label: "Rename", run: () => this.rename(run, at), ...own },
                { label: "Tags", run: () => this.tag(run, at), ...own },
                ...(isRunning && !isLive ? ["-", { label: "Cancel", run: () => this.cancel(run), ...own }] : []),
                "-",
                { label: "Delete", run: () => this.remove(run, at), ...whole },
            ];
        const back = [{ label: "Bring back", run: () => this.restore(run), ...own }];
        openMenu(this.root, run.name, at, [{ heading: run.name }, ...(run.removed ? back : items)]);
    }

    async rename(run, at) {
        const title = await this.ask(`Name of ${run.name}`, at, { value: run.title || run.video, maxlength: 200 });
        if (title === null) return;
        const done = await this.runs.change("rename", run, { title: title === run.video ? "" : title });
        if (done) this.note.show(title ? `Renamed to ${title}.` : "It has its video's name again.", { undo: () => this.runs.change("rename", run, { title: run.title }) });
    }

    async tag(run, at) {
        const text = await this.ask(`Tags of ${run.name}, with commas between them`, at, { value: run.tags.join(", "), maxlength: 400 }, this.runs.tags);
        if (text === null) return;
        const tags = text.split(",").map((tag) => tag.trim()).filter(Boolean);
        const done = await this.runs.change("tag", run, { tags });
        if (done) this.note.show(tags.length ? `Tags: ${tags.join(", ")}.` : "It has no tags now.", { undo: () => this.runs.change("tag", run, { tags: run.tags }) });
    }

    // Ask for a text; null if it is not to change.
    async ask(name, at, field, known = []) {
        const input = element("input", { type: "text", "aria-label": name, autocomplete: "off", spellcheck: "false", list: known.length ? "known-tags" : null, ...field });
        const list = element("datalist", { id: "known-tags" }, ...known.map((value) => element("option", { value })));
        const form = element("form", { class: "l-asking" }, element("label", {}, element("span", {}, name), input), list, element("button", { type: "submit", class: "l-primary" }, "Save"));
        const popup = new Popup(this.root, name, at, form);
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            popup.close(input.value.trim());
        });
        input.select();
        return popup.closed;
    }

    async cancel(run) {
        if (await this.runs.change("cancel", run)) this.note.show(`${run.name} stops; what is done so far is saved.`);
    }

    async remove(run, at) {
        const text = `${fate(run)} You can bring it back for 7 days, unless the room is needed before.`;
        const remove = element("button", { type: "button", class: "l-danger", onclick: () => popup.close(true) }, "Delete");
        const keep = element("button", { type: "button", autofocus: true, onclick: () => popup.close(null) }, "Keep");
        const name = `Delete ${(KINDS[run.kind] ?? "run").toLowerCase()} ${run.name}?`;
        const popup = new Popup(this.root, name, at, element("div", { class: "l-asking" }, element("b", {}, name), element("p", {}, text), element("div", { class: "l-answers" }, remove, keep)));
        if (!await popup.closed) return;
        if (await this.runs.change("remove", run)) this.note.show(`${run.name} is deleted.`, { undo: () => this.runs.change("restore", run) });
    }

    async restore(run) {
        if (await this.runs.change("restore", run)) this.note.show(`${run.name} is back.`);
    }
}

// What goes with a run or an upload.
function fate(run) {
    if (run.kind === "file") return `Its room is free for other uploads (${size(run.bytes)}). Runs that use it cannot run again.`;
    if (run.kind === "video") return `Its room is free for other uploads (${size(run.bytes)}).`;
    const goes = "Its results and corrections go.";
    const others = run.videoRuns - 1;
    if (!run.hasVideo || run.kind === "drawing") return goes;
    if (others > 0) return `${goes} Its video stays, because ${others === 1 ? "another run uses" : `${others} other runs use`} it.`;
    return `${goes} Its video goes too (${size(run.bytes)}).`;
}
