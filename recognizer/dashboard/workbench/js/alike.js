// Moments of all analysed videos that look like one.

import { clock, element, percent } from "./dom.js";
import { remembered } from "./memory.js";
import { hashOf } from "./opening.js";
import { loadPicture } from "./pictures.js";
import { Popup } from "./popup.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

// stretch: {lane, startS, endS}
export async function showAlike(editing, { lane, startS, endS }, at = editing.strip.place()) {
    const { model, root } = editing;
    const list = element("div", { class: "alike-list", role: "status" }, "Looking …");
    const name = `More like ${clock(startS)} to ${clock(endS)} of ${lane.title}`;
    const cancel = element("button", { type: "button", onclick: () => popup.close() }, "Close");
    const head = element("div", { class: "head" }, element("span", { class: "title" }, name), cancel);
    const popup = new Popup(root, name, at, element("div", { class: "alike" }, head, list));
    list.addEventListener("keydown", (event) => step(list, event));
    const go = (moment) => {
        popup.close();
        editing.player.seek(moment.startS);
        const found = model.timeline.lanes.find(({ personId, readOnly }) => personId === moment.personId && !readOnly);
        if (found) model.selectLane(found.key, moment.startS);
    };
    try {
        const { moments } = await model.api.alike({ personId: lane.personId, startS, endS, analyses: remembered("analyses") });
        const cards = moments.map((moment) => card(model.api, moment, go));
        if (cards.length) list.removeAttribute("role"); // it says what is there only while nothing is
        list.replaceChildren(...(cards.length ? cards : ["Your analysed videos have no moment like this."]));
        if (cards.length) cards[0].focus();
    } catch (error) {
        list.replaceChildren(error.message);
    }
    await popup.closed;
}

// A moment of another analysis is a link, so that a browser can open it elsewhere.
function card(api, moment, go) {
    const { analysisId, video, personId, startS, endS, likeness, picture } = moment;
    const isHere = api.url("x") === api.url(`../${analysisId}/x`);
    const image = element("img", { alt: "", width: 96, height: 96 });
    loadPicture(image, api.url(picture));
    const bar = element("i");
    bar.style.width = percent(likeness).replace(" ", "");
    const when = `${clock(startS, 1)} to ${clock(endS, 1)}`;
    const name = `${video}, person ${personId}, ${when}, likeness ${percent(likeness)}`;
    const parts = [
        image,
        element("span", { class: "label", title: video }, video),
        element("span", { class: "share" }, `Person ${personId} · ${clock(startS, 1)}`),
        element("span", { class: "likeness", "aria-hidden": "true" }, bar),
    ];
    if (isHere) return element("button", { type: "button", class: "moment", "aria-label": name, title: name, onclick: () => go(moment) }, ...parts);
    const address = new URL(`../../../?run=${analysisId}${hashOf(moment)}`, api.base).href;
    return element("a", { class: "moment", href: address, target: "_blank", "aria-label": `${name}, in a new tab`, title: name }, ...parts);
}

function step(list, event) {
    const by = STEPS[event.key];
    if (!by) return;
    const cards = [...list.children];
    const index = cards.indexOf(list.getRootNode().activeElement);
    cards.at((index + by) % cards.length)?.focus();
    event.preventDefault();
}
