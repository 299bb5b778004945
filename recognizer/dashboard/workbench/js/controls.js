// The buttons of the player.

import { button, clock, element, icon } from "./dom.js";
import { RATES } from "./player.js";

const ICONS = {
    play: "M8 5v14l11-7z",
    pause: "M6 5h4v14H6zM14 5h4v14h-4z",
    back: "M15 6v12l-8-6zM5 6h2v12H5z",
    forward: "M9 6v12l8-6zM17 6h2v12h-2z",
    loop: "M17 4l4 4-4 4V9H7a2 2 0 0 0-2 2v1H3v-1a4 4 0 0 1 4-4h10zM7 20l-4-4 4-4v3h10a2 2 0 0 0 2-2v-1h2v1a4 4 0 0 1-4 4H7z",
    sound: "M4 9v6h4l5 5V4L8 9zM16 8a5 5 0 0 1 0 8z",
    silent: "M4 9v6h4l5 5V4L8 9zM16 9l5 6-1 1-5-6zM20 8l1 1-5 6-1-1z",
    full: "M4 4h7v2H6v5H4zM13 18h5v-5h2v7h-7z",
    keys: "M3 6h18v12H3zM5 8v2h2V8zm4 0v2h2V8zm4 0v2h2V8zm4 0v2h2V8zM5 12v2h2v-2zm12 0v2h2v-2zm-8 0v2h6v-2z",
};
const LAYERS = [["boxes", "Boxes"], ["names", "Names"], ["labels", "Labels"]];

export class Controls {
    constructor(host, { model, player, keys, bench }) {
        Object.assign(this, { host, model, player, bench });
        this.play = button("Play", icon(ICONS.play), () => player.toggle(), { class: "play" });
        this.now = element("span", { class: "now", role: "timer", "aria-label": "Time" });
        this.sound = button("Mute", icon(ICONS.sound), () => { player.video.muted = !player.video.muted; });
        this.repeat = button("Repeat the selected segment", icon(ICONS.loop), () => this.toggleLoop(), {
            "aria-pressed": "false",
        });
        this.speed = element("select", {
            class: "speed", "aria-label": "Speed", onchange: () => player.setRate(Number(this.speed.value)),
        });
        this.speed.append(...RATES.map((rate) => element("option", { value: rate }, `${rate}×`)));
        const layers = element("div", { class: "layers", role: "group", "aria-label": "Over the picture" });
        layers.append(...LAYERS.map(([name, title]) => this.layer(name, title)));
        host.append(
            button("Back one frame", icon(ICONS.back), () => player.step(-1)),
            this.play,
            button("Forward one frame", icon(ICONS.forward), () => player.step(1)),
            this.now, this.repeat, this.speed, this.sound, layers,
            button("Keyboard", icon(ICONS.keys), () => keys.showList(), { class: "keyboard" }),
            button("Full screen", icon(ICONS.full), () => this.toggleFull()),
        );
        player.addEventListener("state", () => this.update());
        model.addEventListener("time", () => this.showTime());
        model.addEventListener("timeline", () => this.showTime());
        model.addEventListener("selection", () => this.followSelection());
        this.update();
        this.showTime();
    }

    layer(name, title) {
        const { model } = this;
        const one = element("button", { type: "button", "aria-pressed": String(model.overlay[name]) }, title);
        one.addEventListener("click", () => {
            model.setOverlay({ [name]: !model.overlay[name] });
            one.setAttribute("aria-pressed", String(model.overlay[name]));
        });
        return one;
    }

    update() {
        const { player } = this;
        rename(this.play, player.playing ? "Pause" : "Play", player.playing ? ICONS.pause : ICONS.play);
        const { muted } = player.video;
        rename(this.sound, muted ? "Unmute" : "Mute", muted ? ICONS.silent : ICONS.sound);
        this.sound.hidden = !player.hasVideo;
        this.speed.value = String(player.rate);
        this.repeat.setAttribute("aria-pressed", String(Boolean(player.section)));
    }

    showTime() {
        const text = `${clock(this.model.timeS)} / ${clock(this.player.durationS)}`;
        if (this.now.textContent !== text) this.now.textContent = text;
    }

    toggleLoop() {
        const { model, player } = this;
        if (player.section) return player.loop();
        if (model.selection === null) {
            return model.emit("problem", { message: "No segment is selected: click one in a lane, then repeat it." });
        }
        const { startS, endS } = model.segment(model.selection);
        player.loop(startS, endS);
        return player.play();
    }

    // what is repeated is the selected segment, also after its edge has moved
    followSelection() {
        const { model, player } = this;
        if (!player.section) return;
        if (model.selection === null) return player.loop();
        const { startS, endS } = model.segment(model.selection);
        const [wasS, untilS] = player.section;
        return startS === wasS && endS === untilS ? null : player.loop(startS, endS);
    }

    async toggleFull() {
        try {
            if (this.bench.getRootNode().fullscreenElement) await document.exitFullscreen();
            else await this.bench.requestFullscreen();
        } catch (error) {
            this.model.emit("problem", { message: `The browser allows no full screen here: ${error.message}` });
        }
    }
}

function rename(one, name, path) {
    if (one.title === name) return;
    one.title = name;
    one.setAttribute("aria-label", name);
    one.replaceChildren(icon(path));
}
