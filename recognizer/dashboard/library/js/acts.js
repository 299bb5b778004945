// What can be done with a run.

import { element } from "../../workbench/js/dom.js";
import { openMenu } from "../../workbench/js/menu.js";
import { Popup } from "../../workbench/js/popup.js";
import { KINDS, size } from "./words.js";

const NOT_YOURS = "Only who started this run can do that.";
const ON_AIR = "The camera is running; stop it on its own page first.";
const NO_VIDEO = "The video is no longer stored; drop it in again on the page that analyses videos.";

export class Acts {
    constructor(root, runs, toast, { go }) {
        Object.assign(this, { root, runs, toast, go });
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
        const items = run.removed
            ? [{ label: "Bring back", run: () => this.restore(run), ...own }]
            : [
                { label: "Open", run: () => this.go({ id: run.id, page: "open" }) },
                { label: "Run again with other settings", run: () => this.go({ id: run.id, page: "again" }), isOff: isLive || !run.hasVideo, why: isLive ? "A camera's session cannot run again." : NO_VIDEO },
                "-",
                { label: "Rename", run: () => this.rename(run, at), ...own },
                { label: "Tags", run: () => this.tag(run, at), ...own },
                ...(isRunning && !isLive ? ["-", { label: "Cancel", run: () => this.cancel(run), ...own }] : []),
                "-",
                { label: "Delete", run: () => this.remove(run, at), ...whole },
            ];
        openMenu(this.root, run.name, at, [{ heading: run.name }, ...items]);
    }

    async rename(run, at) {
        const title = await this.ask(`Name of ${run.name}`, at, { value: run.title || run.video, maxlength: 200 });
        if (title === null) return;
        const done = await this.runs.change("rename", run, { title: title === run.video ? "" : title });
        if (done) this.toast.show(title ? `Renamed to ${title}.` : "It has its video's name again.", () => this.runs.change("rename", run, { title: run.title }));
    }

    async tag(run, at) {
        const text = await this.ask(`Tags of ${run.name}, with commas between them`, at, { value: run.tags.join(", "), maxlength: 400 }, this.runs.tags);
        if (text === null) return;
        const tags = text.split(",").map((tag) => tag.trim()).filter(Boolean);
        const done = await this.runs.change("tag", run, { tags });
        if (done) this.toast.show(tags.length ? `Tags: ${tags.join(", ")}.` : "It has no tags now.", () => this.runs.change("tag", run, { tags: run.tags }));
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
        if (await this.runs.change("cancel", run)) this.toast.show(`${run.name} stops; what is done so far is saved.`);
    }

    async remove(run, at) {
        const others = run.videoRuns - 1;
        const video = run.hasVideo && run.kind !== "drawing";
        let fate = "";
        if (video && others > 0) fate = `Its video stays, because ${others === 1 ? "another run uses" : `${others} other runs use`} it.`;
        else if (video) fate = `Its video goes too (${size(run.bytes)}).`;
        const text = `Its results and corrections go. ${fate} You can bring it back for 7 days, unless the room is needed before.`;
        const remove = element("button", { type: "button", class: "l-danger", onclick: () => popup.close(true) }, "Delete");
        const keep = element("button", { type: "button", autofocus: true, onclick: () => popup.close(null) }, "Keep");
        const name = `Delete ${(KINDS[run.kind] ?? "run").toLowerCase()} ${run.name}?`;
        const popup = new Popup(this.root, name, at, element("div", { class: "l-asking" }, element("b", {}, name), element("p", {}, text), element("div", { class: "l-answers" }, remove, keep)));
        if (!await popup.closed) return;
        if (await this.runs.change("remove", run)) this.toast.show(`${run.name} is deleted.`, () => this.runs.change("restore", run));
    }

    async restore(run) {
        if (await this.runs.change("restore", run)) this.toast.show(`${run.name} is back.`);
    }
}
