// What was done last with a set, with a way back.

import { NoteLine } from "../../workbench/js/note_line.js";

export class Note extends NoteLine {
    // place: where it floats at the window's lower edge
    constructor(place, actions) {
        super();
        this.actions = actions;
        this.edge = place;
        place.append(this.element);
        actions.addEventListener("set", () => this.outdate());
        actions.addEventListener("problem", ({ detail }) => this.show(detail, { isProblem: true }));
    }

    // changes: how many the server made of what was done
    // place: where it stands, so that it covers nothing; by default it floats
    offerUndo(text, changes = 1, place = this.edge) {
        this.show(text, { undo: () => this.undoChanges(changes), place });
    }

    show(text, { place = this.edge, ...options } = {}) {
        this.standIn(place);
        super.show(text, options);
    }

    standIn(place) {
        if (this.element.parentNode !== place) place.append(this.element);
    }

    // Take changes back, one after the other; none if another tab has changed the set since.
    async undoChanges(changes) {
        const { revision } = this.actions.set;
        const done = await this.actions.change("undo", { revision });
        return done && changes > 1 ? this.undoChanges(changes - 1) : done;
    }
}
