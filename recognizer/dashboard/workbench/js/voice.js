// Sentences for people who listen, and the message when something fails.

import { clock, element, percent } from "./dom.js";

const PROBLEM_MS = 8000;
const NEWS_MS = 8000;
const NOTE_MS = 2500;

const ELSEWHERE = "Something shown here was changed elsewhere; what you see now includes that.";

export class Voice {
    constructor(host, model) {
        this.model = model;
        this.said = element("div", { class: "heard", role: "status", "aria-live": "polite" });
        this.problem = element("div", { class: "problem", role: "alert", hidden: true });
        this.shown = element("div", { class: "note", "aria-hidden": "true", hidden: true });
        // of its own: what is said of the edit itself comes at once
        this.news = element("div", { class: "news", role: "status", hidden: true });
        host.append(this.said, this.shown, this.news, this.problem);
        model.addEventListener("selection", () => this.saySelection());
        model.addEventListener("elsewhere", () => this.tell(ELSEWHERE));
        model.addEventListener("problem", ({ message }) => this.fail(message));
    }

    say(text) {
        this.said.textContent = text;
    }

    saySelection() {
        const { model } = this;
        if (model.selection === null) return;
        const { lane, action, startS, endS, confidence, source, checked } = model.segment(model.selection);
        const from = source === "human" ? "corrected" : percent(confidence);
        this.say(`${lane.title}: ${action}, ${clock(startS)} to ${clock(endS)}, ${from}${checked ? ", checked" : ""}`);
    }

    // Say something that people who look also want to know.
    note(text) {
        this.say(text);
        this.shown.textContent = text;
        this.noteTimer = showFor(this.shown, NOTE_MS, this.noteTimer);
    }

    // Say what nobody here has done.
    tell(text) {
        this.news.textContent = text;
        this.newsTimer = showFor(this.news, NEWS_MS, this.newsTimer);
    }

    fail(message) {
        this.problem.textContent = message;
        this.problemTimer = showFor(this.problem, PROBLEM_MS, this.problemTimer);
    }

    end() {
        clearTimeout(this.noteTimer);
        clearTimeout(this.newsTimer);
        clearTimeout(this.problemTimer);
    }
}

function showFor(place, durationMs, timer) {
    clearTimeout(timer);
    place.hidden = false;
    return setTimeout(() => { place.hidden = true; }, durationMs);
}
