// Drag a person in the list onto another: the two are one.

import { openMenu } from "./menu.js";
import { merge } from "./person_acts.js";

export class Dragging {
    constructor(root, editing) {
        Object.assign(this, { root, editing });
        root.addEventListener("dragstart", (event) => this.start(event));
        root.addEventListener("dragover", (event) => this.over(event));
        root.addEventListener("drop", (event) => this.drop(event));
        root.addEventListener("dragend", () => this.end());
    }

    start(event) {
        const card = cardOf(event);
        if (!card || this.editing.isOff) return;
        this.from = card;
        event.dataTransfer.effectAllowed = "link";
        event.dataTransfer.setData("text/plain", this.lane(card)?.title ?? "");
    }

    over(event) {
        if (!this.from) return;
        const card = cardOf(event);
        this.mark(card === this.from ? null : card);
        if (this.onto) event.preventDefault(); // allows the drop
    }

    drop(event) {
        const [from, onto] = [this.from, this.onto].map((card) => card && this.lane(card));
        this.end();
        if (!from || !onto) return;
        event.preventDefault();
        offerMerge(this.editing, from, onto, { x: event.clientX, y: event.clientY });
    }

    end() {
        this.mark(null);
        this.from = null;
    }

    mark(card) {
        if (card === this.onto) return;
        this.onto?.classList.remove("drop");
        card?.classList.add("drop");
        this.onto = card;
    }

    lane(card) {
        return this.editing.model.timeline.lanes.find(({ key }) => key === card.dataset.lane);
    }
}

// A drag is quickly made by mistake, so the drop asks.
export function offerMerge(editing, from, onto, at) {
    return openMenu(editing.root, "Merge", at, [
        { label: `${from.title} is ${onto.title}: merge`, run: () => editing.next(() => merge(editing, from, onto)) },
        { label: "Cancel", run: () => {} },
    ]);
}

function cardOf(event) {
    return event.target.closest?.("[data-lane]") ?? null;
}
