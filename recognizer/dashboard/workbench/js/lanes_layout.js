// Where lanes, titles and the axis lie on the canvas, in CSS px from its top left corner.

export const AXIS_PX = 28;
const LANE_PX = { least: 24, most: 28 };
const LINE_REACH_PX = 9;
const MOST_IN_SIGHT_PX = 208; // of lanes: eight, a little lower than one alone
const TITLE_PX = { least: 84, most: 168, share: 0.27 };
const TITLE_PADDING_PX = 30; // the dot before the name, and room around both
const RIGHT_PX = 10;

export class Layout {
    width = 0; // of the canvas
    height = 0;
    lanes = 0;
    scrollPx = 0;
    titlePx = TITLE_PX.least;
    lanePx = LANE_PX.most;

    // Adopt sizes; lanes with one line of title shrink a little before they must scroll.
    measure({ width, height, lanes, titleTextPx, lines }) {
        Object.assign(this, { width, height, lanes });
        const most = Math.max(TITLE_PX.least, Math.min(TITLE_PX.most, width * TITLE_PX.share));
        this.titlePx = Math.round(Math.max(TITLE_PX.least, Math.min(most, titleTextPx + TITLE_PADDING_PX)));
        const fitting = Math.floor((height - AXIS_PX) / Math.max(1, lanes));
        this.lanePx = Math.max(lines > 1 ? LANE_PX.most : LANE_PX.least, Math.min(LANE_PX.most, fitting));
    }

    // The height at which so many lanes are in sight; the others scroll.
    static heightOf(lanes) {
        return AXIS_PX + Math.min(MOST_IN_SIGHT_PX, Math.max(1, lanes) * LANE_PX.most);
    }

    get contentPx() {
        return AXIS_PX + this.lanes * this.lanePx;
    }

    get plotPx() {
        return Math.max(1, this.width - this.titlePx - RIGHT_PX);
    }

    get right() {
        return this.titlePx + this.plotPx;
    }

    top(lane) {
        return AXIS_PX + lane * this.lanePx - this.scrollPx;
    }

    // The first and the past of the lanes in sight.
    inSight() {
        const first = Math.max(0, Math.floor(this.scrollPx / this.lanePx));
        const past = Math.ceil((this.scrollPx + this.height - AXIS_PX) / this.lanePx);
        return [first, Math.min(this.lanes, Math.max(first, past))];
    }

    // The lane at a height, or -1.
    laneAt(y) {
        const lane = Math.floor((y - AXIS_PX + this.scrollPx) / this.lanePx);
        return y >= AXIS_PX && lane >= 0 && lane < this.lanes ? lane : -1;
    }

    // What lies at a point: "axis", "corner" (above the titles), "title", "lane" or "none".
    zoneAt(x, y) {
        if (y < AXIS_PX) return x < this.titlePx ? "corner" : "axis";
        if (this.laneAt(y) < 0) return "none";
        return x < this.titlePx ? "title" : "lane";
    }

    // How far to scroll so that a lane is in sight.
    scrollTo(lane) {
        const top = lane * this.lanePx;
        const room = Math.max(this.lanePx, this.height - AXIS_PX);
        return Math.max(top + this.lanePx - room, Math.min(this.scrollPx, top));
    }

    // Whether a height lies on the line of movement at the lower edge of a lane.
    isOnLine(y) {
        const lane = this.laneAt(y);
        return lane >= 0 && y > this.top(lane) + this.lanePx - LINE_REACH_PX;
    }

    // Top and height of the parts of a lane.
    presence(lane) {
        return [this.top(lane) + 2, this.lanePx - 4];
    }

    bar(lane) {
        return [this.top(lane) + 4, this.lanePx - 13];
    }

    movement(lane, widthPx) {
        return [this.top(lane) + this.lanePx - 5 - widthPx / 2, widthPx];
    }
}
