// One run in the list.

import { button, element, icon } from "../../workbench/js/dom.js";
import { KINDS, date, exactDate, isUpload, length, size, stateOf } from "./words.js";

const MORE = "M5 10.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Zm7 0a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Zm7 0a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3Z";

const DRAWINGS = {
    analysis: "M4 5h16v14H4zM10 9l5 3-5 3z",
    comparison: "M4 5h7v14H4zM13 5h7v14h-7z",
    live: "M4 7h11v10H4zM15 11l5-3v8l-5-3z",
    drawing: "M4 5h16v14H4zM8 9h8v6H8z",
    video: "M4 5h16v14H4zM10 9l5 3-5 3z",
    file: "M6 3h8l4 4v14H6zM14 3v4h4",
};

export class Row {
    constructor(runs, acts, run) {
        this.runs = runs;
        const opens = run.kind === "file" ? {} : { href: runs.address(run), onclick: (event) => acts.open(event, this.run) };
        this.link = element("a", { class: "l-title", ...opens });
        // the same link for pointers alone: what people press first is the picture
        this.picture = element("td", { class: "l-picture" }, element("a", { tabindex: "-1", "aria-hidden": "true", ...opens }, this.still(run)));
        this.about = element("div", { class: "l-about" });
        this.remark = element("div", { class: "l-about", hidden: true });
        this.problem = element("div", { class: "l-problem", hidden: true });
        this.cells = Object.fromEntries(["length", "people", "classifier", "state", "date", "size"].map((name) => [name, element("td", { class: `l-${name}` })]));
        this.bar = element("i");
        this.said = element("span");
        this.cells.state.append(this.said, element("span", { class: "l-progress" }, this.bar));
        this.more = button("", icon(MORE), () => acts.menu(this.run, this.more.getBoundingClientRect()), { "aria-haspopup": "menu" });
        this.element = element(
            "tr",
            { oncontextmenu: (event) => this.menu(event, acts) },
            this.picture,
            element("td", { class: "l-name" }, this.link, this.about, this.remark, this.problem),
            ...Object.values(this.cells),
            element("td", { class: "l-more" }, this.more),
        );
    }

    still({ id, kind, hasPicture }) {
        const instead = element("span", { class: "l-instead", title: KINDS[kind] }, icon(DRAWINGS[kind] ?? DRAWINGS.analysis));
        if (!hasPicture) return instead;
        const image = element("img", { src: this.runs.api.url(`picture/${encodeURIComponent(id)}`), alt: "", loading: "lazy", decoding: "async" });
        image.addEventListener("error", () => image.replaceWith(instead));
        return image;
    }

    menu(event, acts) {
        if (event.target.closest(".l-title")) return; // the browser's own menu opens links elsewhere
        event.preventDefault();
        acts.menu(this.run, { x: event.clientX, y: event.clientY });
    }

    update(run) {
        if (JSON.stringify(run) === this.as) return;
        this.as = JSON.stringify(run);
        this.run = run;
        this.link.textContent = run.name;
        this.link.title = run.title ? `${run.name}\nVideo: ${run.video}` : run.name;
        this.more.setAttribute("aria-label", `More about ${run.name}`);
        const notes = [KINDS[run.kind] ?? run.kind, run.settings];
        if (!run.hasVideo && run.kind !== "live") notes.push("video no longer stored");
        if (!run.isOwn && !run.mayChange) notes.push("shared with you");
        this.about.replaceChildren(notes.filter(Boolean).join(" · "), ...run.tags.map((tag) => this.tag(tag)));
        this.remark.hidden = !run.remark;
        this.remark.textContent = run.remark;
        this.problem.hidden = !run.problem;
        this.problem.textContent = run.problem;
        this.problem.title = run.problem;
        const { cells } = this;
        cells.length.textContent = length(run.durationS);
        cells.people.textContent = run.people ?? "";
        cells.classifier.textContent = cells.classifier.title = run.classifier;
        cells.date.textContent = date(run.removed ?? run.created);
        const begun = isUpload(run) ? "Uploaded" : "Begun";
        cells.date.title = `${run.removed ? "Deleted" : begun} ${exactDate(run.removed ?? run.created)}`;
        cells.size.textContent = size(run.bytes);
        cells.size.title = run.videoRuns > 1 ? `Shared by ${run.videoRuns} runs of this video` : "";
        this.said.textContent = stateOf(run);
        cells.state.title = run.status || run.problem;
        cells.state.dataset.state = isUpload(run) ? "" : run.state;
        this.bar.style.width = `${100 * run.progress}%`;
    }

    tag(tag) {
        return element("button", { type: "button", class: "l-tag", title: `Show what has the tag ${tag}`, onclick: () => this.runs.want({ tag }) }, tag);
    }
}
