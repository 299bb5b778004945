// A small window over the page that holds the focus until it closes. It never leaves the browser's window.

import { element } from "./dom.js";

const MARGIN_PX = 8;

export class Popup {
    // name: for people who listen; at: {x, y}, where it was asked for, or {left, top, right, bottom}, to hang it below
    constructor(root, name, at, ...content) {
        this.at = at;
        this.answer = null;
        this.closed = new Promise((resolve) => { this.settle = resolve; });
        this.dialog = element("dialog", { class: "popup", "aria-label": name }, ...content);
        this.dialog.addEventListener("close", () => this.end());
        // a menu that is on its way must not follow the pointer to another one below
        this.dialog.addEventListener("contextmenu", (event) => event.preventDefault());
        this.dialog.addEventListener("pointerdown", (event) => {
            if (event.target === this.dialog && !this.holds(event)) this.close();
        });
        this.dialog.addEventListener("keydown", (event) => {
            event.stopPropagation(); // keys that are typed here are not the workbench's
            if (event.key === "Tab" && !event.defaultPrevented) this.turn(event);
        });
        root.append(this.dialog);
        this.dialog.showModal();
        this.place();
        this.sizes = new ResizeObserver(() => this.place());
        this.sizes.observe(this.dialog);
        this.placeAgain = () => this.place();
        globalThis.addEventListener("resize", this.placeAgain);
        globalThis.visualViewport?.addEventListener("resize", this.placeAgain); // a keyboard on the screen
    }

    holds({ clientX, clientY }) {
        const { left, right, top, bottom } = this.dialog.getBoundingClientRect();
        return clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
    }

    // The focus goes round.
    turn(event) {
        const stops = [...this.dialog.querySelectorAll("input, a[href], button:not([tabindex='-1'])")];
        const index = stops.indexOf(this.dialog.getRootNode().activeElement);
        stops.at((index + (event.shiftKey ? -1 : 1)) % stops.length)?.focus();
        event.preventDefault();
    }

    // Close it; `closed` answers with the value.
    close(answer = null) {
        this.answer = answer;
        this.dialog.close(); // the focus goes back to where it was
    }

    end() {
        this.sizes?.disconnect();
        globalThis.removeEventListener("resize", this.placeAgain);
        globalThis.visualViewport?.removeEventListener("resize", this.placeAgain);
        this.dialog.remove();
        this.settle(this.answer);
    }

    place() {
        const { style } = this.dialog;
        const windowWidth = document.documentElement.clientWidth;
        const windowHeight = globalThis.visualViewport?.height ?? globalThis.innerHeight;
        style.maxHeight = `${windowHeight - 2 * MARGIN_PX}px`;
        const { offsetWidth: width, offsetHeight: height } = this.dialog;
        const { x = this.at.left, y = this.at.bottom, top = y } = this.at;
        const fitsBelow = y + height <= windowHeight - MARGIN_PX;
        style.left = `${clamp(x, MARGIN_PX, windowWidth - width - MARGIN_PX)}px`;
        style.top = `${clamp(fitsBelow ? y : top - height, MARGIN_PX, windowHeight - height - MARGIN_PX)}px`;
    }
}

function clamp(value, least, most) {
    return Math.max(least, Math.min(most, value));
}
