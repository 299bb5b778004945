// What can be done to the selected segment and to a person: one table for the strip, the menus and the keys.
//
// label: on a button; words: in a menu, if they differ; title: a sentence; off(editing, target) answers why it cannot
// be done now, or null; keeps: whether it changes nothing, so that it is also for what the network said; run(editing,
// target) does it.

import { showAlike } from "./alike.js";
import { neighborsOf } from "./around.js";
import * as edits from "./edits.js";
import * as person from "./person_acts.js";
import * as segment from "./segment_acts.js";

const IS_MAC = /Mac|iP/.test(navigator.platform);
export const MODIFIER = IS_MAC ? "⌘" : "Ctrl";
const NO_NEIGHBOR = "No segment of this person lies there.";
const HIDDEN_BETWEEN = "The filter may hide segments between the two; show all, then join.";

// The target is a segment.
export const SEGMENT = {
    start: {
        key: "I", label: "Start here", words: "Start at the playhead", title: "Move the start of the segment to the playhead",
        off: ({ playheadS }, one) => (playheadS < one.endS ? null : "The playhead is after the segment."),
        run: (editing, one) => segment.moveEdge(editing, one, "start", editing.playheadS),
    },
    end: {
        key: "O", label: "End here", words: "End at the playhead", title: "Move the end of the segment to the playhead",
        off: ({ playheadS }, one) => (playheadS > one.startS ? null : "The playhead is before the segment."),
        run: (editing, one) => segment.moveEdge(editing, one, "end", editing.playheadS),
    },
    cut: {
        key: "X", label: "Cut", words: "Cut at the playhead", title: "Cut the segment in two at the playhead",
        off: ({ playheadS }, { startS, endS }) => (
            playheadS > startS && playheadS < endS ? null : "The playhead is not within the segment."
        ),
        run: (editing, one) => editing.store(edits.cut(one, editing.playheadS), "Cut in two", editing.playheadS),
    },
    joinBefore: {
        key: "B", label: "Join ‹", words: "Join with the one before", title: "Join with this person’s segment before; this label stays",
        off: (editing, one) => whyNotJoin(editing, neighborsOf(editing.model, one).before, one),
        run: (editing, one) => editing.store(edits.join(one, neighborsOf(editing.model, one).before), "Joined with the one before"),
    },
    joinAfter: {
        key: "N", label: "Join ›", words: "Join with the next", title: "Join with this person’s next segment; this label stays",
        off: (editing, one) => whyNotJoin(editing, one, neighborsOf(editing.model, one).after),
        run: (editing, one) => editing.store(edits.join(one, neighborsOf(editing.model, one).after), "Joined with the next"),
    },
    remove: {
        key: "Del", label: "Delete", title: "Delete the segment",
        run: (editing, one) => editing.store(edits.remove(one), `Deleted ${one.action}`),
    },
    check: {
        key: "C", label: "Check", title: "Mark the segment as checked, or take that back", isOn: (one) => one.checked,
        run: (editing, one) => editing.store(edits.check(one, !one.checked), one.checked ? "No longer checked" : "Checked"),
    },
    restore: {
        key: "U", label: "Original", words: "Back to the machine’s", title: "Back to the machine’s answer here",
        off: (_, one) => (one.source === "human" ? null : "It is the machine’s answer."),
        run: (editing, one) => editing.store(edits.restore(one), "Back to the machine’s"),
    },
    teach: {
        key: "T", label: "Teach", words: "Teach as an example…", title: "Teach this as an example of an action of your own",
        keeps: true, run: ({ teaching }, one) => teaching.ask(one),
    },
    alike: {
        key: "F", label: "Similar", words: "More like this…", title: "Find moments like this in your analysed videos",
        keeps: true, run: showAlike,
    },
};

// The target is a lane.
export const LANE = {
    name: { key: "F2", label: "Name…", title: "Name the person", run: person.rename },
    merge: {
        key: "M", label: "Is the same person as…", title: "Merge the person with another",
        off: ({ model }, { personId }) => (
            model.timeline.lanes.some((one) => one.personId !== personId) ? null : "There is no other person."
        ),
        run: person.chooseMerge,
    },
    split: {
        key: "S", label: "Split at the playhead", title: "From the playhead on, this is another person",
        off: ({ playheadS }, { presence }) => (
            presence.some(([startS]) => startS < playheadS) && presence.some(([, endS]) => endS > playheadS)
                ? null : "The person must be there before and after the playhead."
        ),
        run: person.split,
    },
    add: {
        key: "A", label: "Add here", words: "Add a segment at the playhead…", title: "Add a segment of this person at the playhead",
        run: segment.addHere,
    },
    checkAll: { label: "Check all in view", title: "Check all", run: (editing, lane) => segment.checkAll(editing, [lane]) },
    restoreAll: { label: "Back to the machine’s", title: "Take back all corrections of segments", run: person.restoreAll },
    hide: { key: "H", label: "Hide", title: "Leave the person out, also in charts and exports", run: person.hide },
};

// For keys.js, in its form.
export const KEYS = [
    {
        keys: ["1", "2", "3", "4", "5"], shown: "1 … 5", title: "Choose one of the five likely labels",
        run: ({ editing }, key) => editing.onSegment((one) => segment.chooseLikely(editing, one, Number(key) - 1)),
    },
    {
        keys: ["r"], shown: "R", title: "Choose another label, or type one",
        run: ({ editing }) => editing.onSegment((one) => segment.chooseLabel(editing, one)),
    },
    ...keysOf(SEGMENT, (editing, command) => editing.runOnSegment(command)),
    ...keysOf(LANE, (editing, command) => editing.runOnLane(command)),
    { keys: ["Mod+z"], shown: `${MODIFIER} Z`, title: "Undo", run: ({ editing }) => editing.undo() },
    { keys: ["Mod+y", "Mod+Shift+z"], shown: IS_MAC ? "⇧ ⌘ Z" : "Ctrl Y", title: "Redo", run: ({ editing }) => editing.redo() },
];

function keysOf(commands, run) {
    return Object.values(commands).filter(({ key }) => key).map((command) => ({
        keys: command.key === "Del" ? ["Delete", "Backspace"] : [command.key.length === 1 ? command.key.toLowerCase() : command.key],
        shown: command.key,
        title: command.title,
        run: ({ editing }) => run(editing, command),
    }));
}

function whyNotJoin({ model }, left, right) {
    if (!left || !right) return NO_NEIGHBOR;
    return model.view.filter && !edits.touches(left, right) ? HIDDEN_BETWEEN : null;
}
