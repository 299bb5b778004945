// The workbench: a video, its people, and a lane for each. See ../component.py.

import { Api } from "./api.js";
import { Controls } from "./controls.js";
import { Editing } from "./editing.js";
import { Filters } from "./filters.js";
import { Keys } from "./keys.js";
import { Lanes } from "./lanes.js";
import { fitPicture, layout } from "./layout.js";
import { Model } from "./model.js";
import { takeMoment } from "./opening.js";
import { Overlay } from "./overlay.js";
import { People } from "./people.js";
import { Player } from "./player.js";
import { followTheme } from "./theme.js";
import { Voice } from "./voice.js";

const benches = new WeakMap(); // by the element they are built in

// Build the workbench in `root`, or bring the one that is there up to date.
//
// data: {api: the absolute address of the analysis, revision, view: {minConfidence, minDurationS, showsBrief, filter},
//        goTo: {number, timeS} or null}
// Returns a function that ends it, unless it is still on the page.
export function mount(root, data, page) {
    let bench = benches.get(root);
    if (bench && bench.data.api !== data.api) {
        bench.end();
        bench = null;
    }
    if (bench) {
        bench.update(data, page);
    } else {
        bench = new Bench(root, data, page);
        benches.set(root, bench);
    }
    // Streamlit also calls this when newer data come; then the workbench is still there
    return () => setTimeout(() => {
        if (root.isConnected) return;
        bench.end();
        benches.delete(root);
    });
}

class Bench {
    constructor(root, data, page) {
        this.data = data;
        this.page = page;
        const model = new Model(new Api(data.api), data.view);
        const places = layout();
        root.replaceChildren(places.bench);
        const player = new Player(places.stage, model);
        const lanes = new Lanes(places.lanes, model, player);
        const voice = new Voice(places.voice, model);
        const editing = new Editing(places.bench, model, player, lanes, { ...places, voice });
        const overlay = new Overlay(places.stage, model, player);
        const people = new People(places.people, model);
        const filters = new Filters(places.filters, model, (view) => this.tell(view));
        const keys = new Keys(places.bench, { model, player, lanes, voice, editing });
        const controls = new Controls(places.controls, { model, player, keys, bench: places.bench });
        this.parts = [controls, keys, filters, people, overlay, editing, voice, lanes, player, model];
        this.model = model;
        this.player = player;
        this.wentTo = data.goTo?.number; // from before a visit to another page
        this.told = []; // thresholds that the page was told and has not shown yet
        this.ended = new AbortController();
        const { signal } = this.ended;
        model.addEventListener("edited", () => this.page.setTriggerValue("edited", model.timeline.revision), { signal });
        window.addEventListener("focus", () => model.catchUp(), { signal });
        document.addEventListener("visibilitychange", () => document.hidden || model.catchUp(), { signal });
        followTheme(places.bench, model, signal);
        fitPicture(places, model, signal);
        (root.getRootNode().host ?? root).recognizer = { model, player, lanes, editing, overlay }; // for tests
        this.begin();
    }

    // The page's address may name a moment to begin at.
    async begin() {
        const { model, player } = this;
        await model.load();
        const moment = model.segments && takeMoment();
        if (!moment) return;
        player.seek(moment.timeS);
        const lane = model.timeline.lanes.find(({ personId }) => personId === moment.personId);
        if (lane) model.selectLane(lane.key, moment.timeS);
    }

    update(data, page) {
        const before = this.data;
        this.data = data;
        this.page = page;
        if (before.revision !== data.revision) this.model.refresh(data.revision);
        if (JSON.stringify(before.view) !== JSON.stringify(data.view)) this.model.setView(this.news(data.view));
        this.go(data.goTo);
    }

    tell(view) {
        this.told.push(view);
        this.page.setStateValue("view", view);
    }

    // What the page wants to see. Thresholds that it has from here come back late: the slider may have moved on.
    news({ filter, ...thresholds }) {
        const echo = this.told.findIndex((one) => Object.keys(one).every((key) => one[key] === thresholds[key]));
        this.told.splice(0, echo + 1);
        return echo < 0 ? { filter, ...thresholds } : { filter };
    }

    // The page asks for a moment once, with a number; later calls have the same one.
    go(to) {
        if (!to || to.number === this.wentTo) return;
        this.wentTo = to.number;
        this.player.seek(to.timeS);
    }

    end() {
        this.ended.abort();
        for (const part of this.parts) part.end?.();
        this.model.close();
    }
}
