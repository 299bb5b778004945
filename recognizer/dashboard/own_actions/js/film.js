// Three pictures of a moment, as a strip.

import { button, clock, closeIcon, element, icon } from "../../workbench/js/dom.js";
import { hashOf } from "../../workbench/js/opening.js";
import { loadPicture } from "../../workbench/js/pictures.js";

const MORE = "M6 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm6 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm6 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4z";
const SHOWN_AT = [0.1, 0.5, 0.9]; // shares of the moment, as in an example's own pictures
const FIRST_SHOWN = [1, 0, 2];

export const moreIcon = () => icon(MORE);

// Whose moment it is, and when.
export function titleOf({ video, personId, startS, endS }) {
    return `${video}, person ${personId}, ${clock(startS, 1)} to ${clock(endS, 1)}`;
}

// urls: of an example's pictures, which the server has at once
function stored(urls, title) {
    const images = urls.map((src) => element("img", { src, alt: "", loading: "lazy", draggable: "false" }));
    return framed(images, title);
}

// The pictures of moments that are no examples are cut out of their videos now: of each one first, then the others.
export function stripsOf(actions, moments) {
    const strips = moments.map(() => SHOWN_AT.map(() => element("img", { alt: "", draggable: "false" })));
    for (const k of FIRST_SHOWN) {
        strips.forEach((images, index) => loadPicture(images[k], pictureOf(actions, moments[index], SHOWN_AT[k])));
    }
    return strips.map((images, index) => framed(images, titleOf(moments[index])));
}

function pictureOf(actions, { analysisId, personId, startS, endS }, share) {
    const atS = startS + share * (endS - startS);
    return actions.api.url(`../../analysis/${analysisId}/moment/${personId}?atS=${atS.toFixed(3)}`);
}

// A link to the moment in its analysis.
export function linkTo(actions, moment) {
    const href = new URL(`../../../?run=${moment.analysisId}${hashOf(moment)}`, actions.api.base).href;
    return element("a", { href, target: "_blank", title: "Open the analysis in a new tab" }, titleOf(moment));
}

function framed(images, title) {
    const content = images.length ? images : [element("span", { class: "gone" }, "no picture")];
    return element("span", { class: "pictures", role: "img", "aria-label": title, title }, ...content);
}

// An example in its row. acts: {remove(), menu(at)}
export function exampleFilm(actions, example, acts) {
    const more = button("More like this, or another action", moreIcon(), () => acts.menu(more.getBoundingClientRect()), { class: "corner" });
    const remove = button("Remove this example", closeIcon(), acts.remove, { class: "corner" });
    return element("li", { class: "film" }, stored(actions.pictures(example), titleOf(example)), element("span", { class: "corners" }, more, remove));
}

// A moment that can be chosen; `aria-pressed` says whether it is.
export function choiceFilm(strip, isChosen, onchange) {
    const film = element("button", { type: "button", class: "film choice", "aria-pressed": String(isChosen) }, strip);
    film.addEventListener("click", () => {
        film.setAttribute("aria-pressed", String(film.getAttribute("aria-pressed") !== "true"));
        onchange();
    });
    return film;
}

export const isChosen = (film) => film.getAttribute("aria-pressed") === "true";
