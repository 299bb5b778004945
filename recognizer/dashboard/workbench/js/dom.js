// Small helpers for elements and text.

// element("button", { class: "x", title: "y", onclick: f }, "text", other): attributes, listeners, children.
export function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
        else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
}

const SVG = "http://www.w3.org/2000/svg";

// An icon from the path of a 24 × 24 drawing.
export function icon(path) {
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", "0 0 24 24");
    drawing.setAttribute("aria-hidden", "true");
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("d", path);
    drawing.append(line);
    return drawing;
}

const CLOSE = "M19 6.4 17.6 5 12 10.6 6.4 5 5 6.4 10.6 12 5 17.6 6.4 19 12 13.4 17.6 19 19 17.6 13.4 12z";

export const closeIcon = () => icon(CLOSE);

export function button(name, content, onclick, attributes = {}) {
    return element("button", { type: "button", "aria-label": name, title: name, onclick, ...attributes }, content);
}

// Change what is in an element; what had the focus there, and is there again, has it afterwards.
export function keepFocus(place, change) {
    const { activeElement } = place.getRootNode();
    change();
    if (activeElement && place.contains(activeElement)) activeElement.focus({ preventScroll: true });
}

// "1:05.20", or "1:02:05.20" for long videos
export function clock(timeS, digits = 2) {
    const scale = 10 ** digits;
    const whole = Math.round(timeS * scale);
    const rest = ((whole % (60 * scale)) / scale).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
    const minutes = Math.floor(whole / (60 * scale));
    if (minutes < 60) return `${minutes}:${rest}`;
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

export function seconds(valueS) {
    return valueS < 100 ? `${valueS.toFixed(1)} s` : clock(valueS, 0);
}

// As in the video, on the hover card and on the slider.
export function asProbability(value) {
    return value.toFixed(2);
}

export function percent(share) {
    return `${Math.round(100 * share)} %`;
}
