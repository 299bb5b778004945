// A sentence with buttons over the lower edge of the picture, or at a place: it takes no focus and goes by itself.

import { button, element } from "./dom.js";

const SHOWN_MS = 10_000;
const MARGIN_PX = 8;

export class Toast {
    // root: the workbench, beside which it covers nothing; stage: the picture, over whose lower edge it lies
    constructor(root, stage, voice) {
        Object.assign(this, { root, stage, voice });
        // a popover lies above everything, also in full screen
        this.card = element("div", { class: "toast", popover: "manual" });
        this.ended = new AbortController();
        const { signal } = this.ended;
        const again = () => this.isOpen && this.place();
        document.addEventListener("scroll", again, { signal, capture: true, passive: true });
        globalThis.addEventListener("resize", again, { signal });
        // a pointer or the focus on it gives more time
        for (const name of ["pointerenter", "focusin"]) this.card.addEventListener(name, () => clearTimeout(this.timer));
        for (const name of ["pointerleave", "focusout"]) this.card.addEventListener(name, () => this.wait());
        this.card.addEventListener("keydown", (event) => event.key === "Escape" && this.hide());
        root.append(this.card);
    }

    // acts: [[label, run], ..]; at: {x, y} in the window, or null; spoken: what people who listen hear more
    show(text, acts = [], { at = null, spoken = "" } = {}) {
        const run = (act) => () => {
            this.hide();
            act();
        };
        this.at = at;
        this.card.replaceChildren(
            element("span", { class: "text" }, text),
            ...acts.map(([label, act]) => element("button", { type: "button", onclick: run(act) }, label)),
            button("Close", "×", () => this.hide(), { class: "close" }),
        );
        if (!this.isOpen) this.card.showPopover();
        this.place();
        this.voice.say(`${text} ${spoken}`.trim());
        this.wait();
    }

    wait() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.hide(), SHOWN_MS);
    }

    hide() {
        clearTimeout(this.timer);
        if (this.isOpen) this.card.hidePopover();
    }

    get isOpen() {
        return this.card.matches(":popover-open");
    }

    place() {
        const [root, stage] = [this.root, this.stage].map((one) => one.getBoundingClientRect());
        const left = Math.max(root.left, MARGIN_PX);
        const right = Math.min(root.right, document.documentElement.clientWidth - MARGIN_PX);
        this.card.style.maxWidth = `min(46em, ${right - left}px)`;
        const { width, height } = this.card.getBoundingClientRect();
        const { x, y } = this.at ?? { x: (stage.left + stage.right - width) / 2, y: stage.bottom - height - MARGIN_PX };
        const lowest = globalThis.innerHeight - height - MARGIN_PX;
        this.card.style.left = `${Math.max(left, Math.min(x, right - width))}px`;
        this.card.style.top = `${Math.max(MARGIN_PX, Math.min(y, lowest))}px`;
    }

    end() {
        this.ended.abort();
        clearTimeout(this.timer);
        this.card.remove();
    }
}
