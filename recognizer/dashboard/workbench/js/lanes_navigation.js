// Which stretch of time is in view and where the video is: zoom, pan, seek, and following the playhead.

import { TimeView } from "./axis.js";

const PAGE_SHARE = 0.05; // where the playhead is after the view has followed it
const ROW_MARGIN = 0.15; // of a segment, on both sides of it when it fills the view

export class Navigation {
    view = new TimeView();
    follows = true; // whether the view follows the playhead
    isHeld = false; // while a pointer is down, the view stays under it

    // onMove: called when another stretch is in view
    constructor(model, player, onMove) {
        Object.assign(this, { model, player, onMove });
    }

    // Move the view by a user's wish; it stays there even if the playhead is elsewhere.
    change(change) {
        change(this.view);
        this.follows = this.view.contains(this.model.timeS);
        this.onMove();
    }

    // factor > 1 shows less time, around the playhead
    zoom(factor) {
        const { view, model: { timeS } } = this;
        this.zoomAt(factor, view.contains(timeS) ? timeS : view.startS + view.spanS / 2);
    }

    zoomAt(factor, timeS) {
        this.change((view) => view.zoom(factor, timeS));
    }

    zoomAll() {
        this.change((view) => view.showAll());
    }

    zoomToRow(row) {
        const { startS, endS } = this.model.segment(row);
        const marginS = (endS - startS) * ROW_MARGIN;
        this.change((view) => view.show(startS - marginS, endS + marginS));
    }

    // Bring a stretch into view if nothing of it is.
    reveal(startS, endS) {
        const { view } = this;
        if (endS <= view.startS || startS >= view.startS + view.spanS) this.change(() => view.show(...view.around(startS, endS)));
    }

    // The time has changed. Forwards, the next view begins with the playhead; backwards, the playhead is in its middle.
    follow() {
        const { view, model: { timeS } } = this;
        if (view.contains(timeS)) {
            this.follows = true;
        } else if (this.follows && !this.isHeld) {
            view.pan(timeS - (timeS > view.startS ? PAGE_SHARE : 0.5) * view.spanS - view.startS);
            this.onMove();
        }
    }

    // Move the video, at most once in each frame of the screen.
    seek(timeS) {
        if (this.seekFrame) {
            this.soughtS = timeS;
            return;
        }
        this.soughtS = null;
        this.player.seek(timeS);
        this.seekFrame = requestAnimationFrame(() => {
            this.seekFrame = 0;
            if (this.soughtS !== null) this.seek(this.soughtS);
        });
    }

    end() {
        cancelAnimationFrame(this.seekFrame);
    }
}
