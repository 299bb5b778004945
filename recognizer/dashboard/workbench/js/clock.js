// A time that runs on its own: where there is no video, and backwards.

export class Clock {
    constructor(onTime) {
        this.onTime = onTime;
        this.rate = 1;
        this.running = false;
    }

    // rate: seconds a second; negative runs backwards
    start(timeS, rate) {
        this.stop();
        Object.assign(this, { rate, running: true, timeS, lastMs: performance.now() });
        this.frame = requestAnimationFrame((nowMs) => this.tick(nowMs));
    }

    move(timeS) {
        this.timeS = timeS;
    }

    stop() {
        this.running = false;
        cancelAnimationFrame(this.frame);
    }

    tick(nowMs) {
        this.timeS += (this.rate * Math.max(0, nowMs - this.lastMs)) / 1000;
        this.lastMs = nowMs;
        this.frame = requestAnimationFrame((next) => this.tick(next)); // first: `onTime` may stop the clock
        this.onTime(this.timeS);
    }
}
