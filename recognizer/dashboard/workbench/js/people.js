// Who is in the video: picture, name, time present, time per action.

import { button, element, icon, keepFocus, percent, seconds } from "./dom.js";
import { loadPicture } from "./pictures.js";

const OPEN_EYE = "M12 5C6 5 2 12 2 12s4 7 10 7 10-7 10-7-4-7-10-7zm0 11a4 4 0 1 1 0-8 4 4 0 0 1 0 8z";
const CLOSED_EYE = "M3 4l1.5-1.5 17 17L20 21zM12 5c6 0 10 7 10 7s-1 2-3 4L8 6c1-.6 2.500-1 4-1zM5 8l11 11c-1 .5-2.500 1-4 1-6 0-10-8-10-8s1-2 3-4z";
const OFTEN_MS = 150;
const ORDERS = {
    number: { title: "By number", compare: (one, other) => one.indices[0] - other.indices[0] },
    time: { title: "By time", compare: (one, other) => other.lanes[0].presentS - one.lanes[0].presentS },
};

export class People {
    constructor(host, model) {
        this.model = model;
        this.cards = new Map(); // by the person's number
        this.count = element("span");
        this.order = element("select", { "aria-label": "Order of the people", onchange: () => this.update() });
        this.order.append(...Object.entries(ORDERS).map(([value, { title }]) => element("option", { value }, title)));
        this.list = element("div", { class: "cards", role: "listbox", "aria-label": "People", tabindex: "0" });
        this.list.addEventListener("keydown", (event) => this.key(event));
        host.append(element("div", { class: "people-head" }, this.count, this.order), this.list);
        for (const name of ["timeline", "theme"]) model.addEventListener(name, () => this.update());
        model.addEventListener("segments", () => this.updateSoon());
        model.addEventListener("selection", () => this.mark());
        model.addEventListener("overlay", () => this.mark());
    }

    // The lanes are drawn first: while a slider moves, they must follow it, and here a few times a second are enough.
    updateSoon() {
        this.frame ??= requestAnimationFrame(() => {
            const waitMs = (this.updatedMs ?? 0) + OFTEN_MS - performance.now();
            this.timer = setTimeout(() => this.update(), Math.max(0, waitMs));
        });
    }

    update() {
        const { model } = this;
        this.end();
        if (!model.timeline) return;
        this.updatedMs = performance.now();
        const people = peopleOf(model.shownLanes).toSorted(ORDERS[this.order.value || "number"].compare);
        this.count.textContent = people.length === 1 ? "1 person" : `${people.length} people`;
        const cards = people.map((person) => this.card(person));
        if (cards.length !== this.list.children.length || cards.some((card, k) => card !== this.list.children[k])) {
            keepFocus(this.list, () => this.list.replaceChildren(...cards));
        }
        const ids = new Set(people.map(({ personId }) => personId));
        for (const id of this.cards.keys()) if (!ids.has(id)) this.cards.delete(id);
        this.mark();
    }

    card(person) {
        let card = this.cards.get(person.personId);
        if (!card) {
            card = new Card(this.model);
            this.cards.set(person.personId, card);
        }
        card.update(person);
        return card.element;
    }

    mark() {
        for (const card of this.cards.values()) card.mark();
    }

    end() {
        cancelAnimationFrame(this.frame);
        clearTimeout(this.timer);
        this.frame = null;
    }

    // Up and down choose a person, as in any list.
    key(event) {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        const cards = [...this.list.children];
        const at = cards.findIndex((card) => card.getAttribute("aria-selected") === "true");
        const next = cards[Math.min(Math.max(0, at + step), cards.length - 1)];
        next?.click();
        next?.scrollIntoView({ block: "nearest" });
    }
}

class Card {
    constructor(model) {
        this.model = model;
        this.picture = element("img", { alt: "", width: 28, height: 32 });
        this.name = element("span", { class: "name" });
        this.time = element("span", { class: "time" });
        this.bars = element("div", { class: "person-bars" });
        this.eye = button("", icon(OPEN_EYE), (event) => this.toggleEye(event), { class: "eye" });
        this.element = element(
            "div",
            { class: "card", role: "option", "aria-selected": "false", onclick: () => model.selectLane(this.keys[0]) },
            this.picture,
            element("div", { class: "who" }, element("div", { class: "line" }, this.name, this.time), this.bars),
            this.eye,
        );
    }

    update({ lanes, indices }) {
        const [first] = lanes;
        if (first.picture && first.picture !== this.address) {
            this.address = first.picture;
            loadPicture(this.picture, this.model.api.url(first.picture));
        }
        if (this.title !== first.title) this.isWithout = null; // the eye says the name
        this.title = first.title;
        this.keys = lanes.map(({ key }) => key);
        this.element.dataset.lane = first.key; // for corrections, such as a drag onto another person
        this.element.draggable = !this.model.timeline.readOnly;
        this.name.textContent = first.title;
        this.time.textContent = seconds(first.presentS);
        const each = lanes.map((lane, k) => ({ classifier: lane.classifier, times: timePerAction(this.model, indices[k]) }));
        this.element.title = [`${first.title}: ${seconds(first.presentS)} in view`, ...each.flatMap(linesOf)].join("\n");
        this.bars.replaceChildren(...each.map(barOf));
    }

    mark() {
        const { selectedLane, overlay } = this.model;
        this.element.setAttribute("aria-selected", String(this.keys.includes(selectedLane)));
        const isWithout = this.keys.every((key) => overlay.without.has(key));
        if (this.isWithout === isWithout) return;
        this.isWithout = isWithout;
        this.element.classList.toggle("without", isWithout);
        this.eye.setAttribute("aria-pressed", String(!isWithout));
        this.eye.title = isWithout ? `Show ${this.title} over the picture` : `Hide ${this.title} over the picture`;
        this.eye.setAttribute("aria-label", this.eye.title);
        this.eye.replaceChildren(icon(isWithout ? CLOSED_EYE : OPEN_EYE));
    }

    toggleEye(event) {
        event.stopPropagation();
        const { without } = this.model.overlay;
        for (const key of this.keys) {
            if (this.isWithout) without.delete(key);
            else without.add(key);
        }
        this.model.setOverlay({ without });
    }
}

// The people of the lanes; in a comparison, each has a lane for every classifier.
function peopleOf(shownLanes) {
    const people = new Map();
    shownLanes.forEach((lane, index) => {
        const person = people.get(lane.personId) ?? { personId: lane.personId, lanes: [], indices: [] };
        person.lanes.push(lane);
        person.indices.push(index);
        people.set(lane.personId, person);
    });
    return [...people.values()];
}

function linesOf({ classifier, times }) {
    const lines = times.map(({ action, timeS, share }) => `${action} ${seconds(timeS)} (${percent(share)})`);
    return classifier ? [`${classifier}:`, ...lines] : lines;
}

function barOf(one) {
    const name = linesOf(one).join(", ").replace(":,", ":") || "no actions";
    const parts = one.times.map(({ color, share }) => {
        const part = element("span");
        part.style.background = color;
        part.style.width = `${100 * share}%`;
        return part;
    });
    return element("div", { class: "bar", role: "img", "aria-label": name }, ...parts);
}

// A lane's actions, the longest first: [{action, color, timeS, share of the time present}, ..]
function timePerAction(model, laneIndex) {
    if (!model.segments) return [];
    const [first, end] = model.rowsOf(laneIndex);
    const { action, startS, endS, actions, colors } = model.segments;
    const sums = new Map();
    for (let row = first; row < end; row += 1) {
        sums.set(action[row], (sums.get(action[row]) ?? 0) + endS[row] - startS[row]);
    }
    const presentS = model.shownLanes[laneIndex].presentS || 1;
    const tones = colors[model.theme.dark ? "dark" : "light"];
    return [...sums]
        .map(([index, timeS]) => ({ action: actions[index], color: tones[index], timeS, share: Math.min(1, timeS / presentS) }))
        .toSorted((one, other) => other.timeS - one.timeS);
}
