// The video and its time. The time of the workbench is the video's one clock; a camera's recording may begin later.

import { Clock } from "./clock.js";
import { element } from "./dom.js";

export const RATES = [0.25, 0.5, 1, 1.5, 2, 4];
const END_S = 1e-3; // a seek to the very end would leave Chromium without a picture

// Events: "state" (playing, rate, loop or the copy's progress changed).
export class Player extends EventTarget {
    constructor(stage, model) {
        super();
        this.model = model;
        this.video = element("video", { playsinline: true, preload: "auto", "aria-label": "Video" });
        this.notice = element("div", { class: "notice", role: "status", hidden: true });
        stage.append(this.video, this.notice);
        this.video.muted = false;
        this.rate = 1;
        this.section = null; // [startS, endS] that is repeated
        this.clock = new Clock((timeS) => this.reach(timeS)); // plays when there is no video, and backwards
        this.ended = new AbortController();
        const { signal } = this.ended;
        model.addEventListener("timeline", () => this.adopt(), { signal });
        model.addEventListener("player", () => this.adopt(), { signal });
        for (const name of ["play", "pause", "ended", "ratechange", "volumechange"]) {
            this.video.addEventListener(name, () => this.changed(), { signal });
        }
        this.video.addEventListener("seeked", () => this.seekOn(), { signal });
        this.video.addEventListener("loadedmetadata", () => this.aim(model.timeS), { signal });
        this.video.addEventListener("error", () => this.tell(), { signal });
        this.followPictures();
    }

    // --- which video ---

    adopt() {
        const { url, beginsS } = this.model.timeline.player;
        this.beginsS = beginsS ?? 0;
        const wanted = url ? this.model.api.url(url) : null;
        if (wanted !== this.url) {
            this.url = wanted;
            if (wanted) this.video.src = wanted;
            else this.video.removeAttribute("src");
        }
        this.video.hidden = !wanted;
        this.tell();
    }

    // Say why there is no picture, if there is none.
    tell() {
        const text = this.url && !this.video.error ? "" : this.reason();
        this.notice.hidden = !text;
        if (this.notice.textContent !== text) this.notice.textContent = text;
        this.changed();
    }

    reason() {
        const { state, share, note } = this.model.timeline.player;
        if (state === "preparing") {
            const done = share === null || share === undefined ? "" : ` ${Math.round(100 * share)} %`;
            return `Copying the video for your browser …${done}`;
        }
        if (state === "ready") return "Your browser cannot play this video; boxes and lanes still follow the time.";
        return note ?? "The video is no longer stored here; boxes and lanes still follow the time.";
    }

    get hasVideo() {
        return Boolean(this.url) && !this.video.error;
    }

    get durationS() {
        return this.model.timeline?.video.durationS ?? this.model.timeline?.analysedS ?? 0;
    }

    // --- where ---

    // Show the frame that is on the screen at this time.
    seek(timeS) {
        const aimedS = Math.min(Math.max(0, timeS), this.durationS);
        this.clock.move(aimedS);
        this.model.setTime(aimedS);
        this.aim(aimedS);
    }

    // Move by frames, from the one that is shown.
    step(frames) {
        this.pause();
        const times = this.model.frames;
        if (!times.length) return;
        const next = Math.min(Math.max(0, this.frameAt(this.model.timeS) + frames), times.length - 1);
        this.seek(times[next]);
    }

    // The number of the frame that is shown at a time.
    frameAt(timeS) {
        const times = this.model.frames;
        let [low, high] = [0, times.length];
        while (low < high) {
            const middle = (low + high) >> 1;
            // times come here through JSON and division; a frame's own time is that frame, not the one before
            if (times[middle] <= timeS + 1e-6) low = middle + 1;
            else high = middle;
        }
        return Math.max(0, low - 1);
    }

    // Aim into the middle of a frame: at its exact time, browsers show the one before for one in three at 29.97.
    aim(timeS) {
        this.aimedS = timeS;
        if (!this.hasVideo || !this.video.readyState || this.video.seeking) return; // "seeked" goes on
        const times = this.model.frames;
        const frame = this.frameAt(timeS);
        const startS = times[frame] ?? timeS;
        const endS = times[frame + 1] ?? startS + (startS - (times[frame - 1] ?? startS));
        const lastS = Math.max(0, (this.video.duration || Infinity) - END_S);
        const target = Math.min(Math.max(0, (startS + endS) / 2 - this.beginsS), lastS);
        if (Math.abs(this.video.currentTime - target) > 1e-4) this.video.currentTime = target;
        this.aimedS = null;
    }

    // Only the latest of many seeks, as while a pointer is dragged, is worth decoding.
    seekOn() {
        if (this.aimedS !== null && this.aimedS !== undefined) this.aim(this.aimedS);
    }

    // --- playing ---

    get playing() {
        return this.clock.running || (this.hasVideo && !this.video.paused && !this.video.ended);
    }

    async play() {
        this.clock.stop();
        if (!this.hasVideo) {
            const startS = this.model.timeS >= this.durationS ? 0 : this.model.timeS;
            this.clock.start(startS, this.rate);
            this.changed();
            return;
        }
        this.video.playbackRate = this.rate;
        try {
            await this.video.play();
        } catch (error) {
            if (error.name !== "AbortError") this.model.emit("problem", { message: `The video does not play: ${error.message}` });
        }
    }

    pause() {
        this.clock.stop();
        this.video.pause();
        this.changed();
    }

    toggle() {
        if (this.playing) this.pause();
        else this.play();
    }

    // Browsers play forwards only; backwards, the pictures are sought one after the other.
    playBackwards(rate) {
        this.video.pause();
        this.clock.start(this.model.timeS, -rate);
        this.changed();
    }

    setRate(rate) {
        this.rate = Math.min(Math.max(rate, RATES[0]), RATES.at(-1));
        this.video.playbackRate = this.rate;
        if (this.clock.running) this.clock.start(this.model.timeS, Math.sign(this.clock.rate) * this.rate);
        this.changed();
    }

    // Repeat from one time to the other; without times, no longer.
    loop(startS = null, endS = null) {
        this.section = startS === null ? null : [startS, endS];
        if (this.section && (this.model.timeS < startS || this.model.timeS >= endS)) this.seek(startS);
        this.changed();
    }

    // A picture has appeared on the screen.
    followPictures() {
        this.video.requestVideoFrameCallback((_now, { mediaTime }) => {
            if (this.ended.signal.aborted) return;
            this.followPictures();
            this.shownS = mediaTime + (this.beginsS ?? 0);
            if (this.hasVideo && !this.video.paused && !this.video.seeking) this.reach(this.shownS);
        });
    }

    // Playing has come to this time.
    reach(timeS) {
        if (this.section && (timeS >= this.section[1] || timeS < this.section[0] - 1)) {
            this.seek(this.section[this.clock.running && this.clock.rate < 0 ? 1 : 0]);
        } else if (this.clock.running) {
            // only an end that lies ahead: the first tick may be as old as the start, and is still at 0 then
            if (this.clock.rate < 0 ? timeS <= 0 : timeS >= this.durationS) this.pause();
            this.model.setTime(Math.min(Math.max(0, timeS), this.durationS));
            this.aim(this.model.timeS);
        } else {
            this.model.setTime(timeS);
        }
    }

    changed() {
        this.dispatchEvent(new Event("state"));
    }

    end() {
        this.ended.abort();
        this.clock.stop();
        this.video.pause();
        this.video.removeAttribute("src");
        this.video.load(); // lets go of the connection
    }
}
