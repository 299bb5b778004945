// The places of the workbench, and how high the picture is: everything is in sight at once.

import { element } from "./dom.js";

const HEADING_MOST_PX = 260; // so much of the page stays in sight above the workbench
const MARGIN_PX = 6;
const LEAST_PX = 640; // of the whole workbench, in a low window
const PICTURE_PX = { least: 220, most: 640 };
const GAPS_PX = 24;

export function layout() {
    const places = {
        stage: element("div", { class: "stage" }),
        people: element("div", { class: "people" }),
        controls: element("div", { class: "controls", role: "toolbar", "aria-label": "Player" }),
        tools: element("div", { class: "tools", role: "toolbar", "aria-label": "Corrections" }),
        lanes: element("div", { class: "lanes" }),
        filters: element("div", { class: "filters", role: "group", "aria-label": "Filters" }),
        voice: element("div", { class: "voice" }),
    };
    places.bars = element("div", { class: "bars" }, places.controls, places.tools);
    places.bench = element(
        "section",
        { class: "bench", "aria-label": "Workbench", tabindex: "-1" },
        places.stage, places.people, places.bars, places.lanes, places.filters, places.voice,
    );
    return places;
}

// Keep the picture as high as the lanes leave room for.
export function fitPicture({ bench, stage, bars, lanes, filters }, model, signal) {
    const scroller = scrollerOf(bench);
    const fit = () => {
        const { video } = model.timeline ?? {};
        const shape = video?.width && video.height ? video.width / video.height : 16 / 9;
        const heading = headingOf(bench, scroller);
        // what begins in the lower half of the window is scrolled to, and then has the window for itself
        const above = heading > window.innerHeight / 2 ? MARGIN_PX : Math.min(heading, HEADING_MOST_PX);
        const most = Math.max(LEAST_PX, window.innerHeight - above - MARGIN_PX);
        const left = most - GAPS_PX - bars.offsetHeight - lanes.offsetHeight - filters.offsetHeight;
        const height = Math.max(PICTURE_PX.least, Math.min(left, PICTURE_PX.most, stage.clientWidth / shape));
        bench.style.setProperty("--shape", shape);
        bench.style.setProperty("--stage-height", `${Math.round(height)}px`);
    };
    const sizes = new ResizeObserver(fit);
    for (const place of [bench, bars, lanes, filters]) sizes.observe(place);
    if (scroller?.firstElementChild) sizes.observe(scroller.firstElementChild); // the page above it may grow
    model.addEventListener("timeline", fit, { signal });
    window.addEventListener("resize", fit, { signal });
    signal.addEventListener("abort", () => sizes.disconnect());
}

// How much of the page is above the workbench when nothing is scrolled.
function headingOf(bench, scroller) {
    return bench.getBoundingClientRect().top + (scroller?.scrollTop ?? 0);
}

function scrollerOf(bench) {
    for (let one = bench.getRootNode().host; one; one = one.parentElement) {
        if (["auto", "scroll"].includes(getComputedStyle(one).overflowY)) return one;
    }
    return null;
}
