// What the pickers offer: labels for a segment, and people.

import { asProbability } from "./dom.js";

const MOST_FOUND = 60;
const OWN_CHARACTERS = 100; // the longest label of one's own

// What Enter takes comes first: the label that was typed, or one that the user gave before and that begins so, or else the
// text itself. What only the network says comes after it: who types "walk" does not mean "walking the dog".

// Return what to offer for a search. likely: the machine's top labels with probabilities, best first.
export function labelsToFind(model, { likely, now }) {
    const option = (label, more) => ({ value: label, label, isNow: label === now, ...more });
    const top = likely.map(([label, probability], k) => option(label, { share: asProbability(probability), mark: String(k + 1) }));
    const isTop = new Set(likely.map(([label]) => label));
    const used = usedLabels(model);
    const more = used.filter((label) => !isTop.has(label)).map((label) => option(label));
    const all = [...new Set([...isTop, ...used, ...model.timeline.labels])];
    const given = labelsGiven(model);
    given.delete(now); // a correction is another label
    return (query) => {
        if (!query) return [{ heading: "Most likely", options: top }, { heading: "In this video", options: more }];
        const own = oneLine(query);
        const { meant, others, isNew } = sorted(all, own, given);
        return [
            { heading: "Labels", options: meant.map((label) => option(label)) },
            { heading: "A label of your own", options: isNew ? [option(own, { label: `Use “${own}”` })] : [] },
            { heading: "Other labels", options: others.map((label) => option(label)) },
        ];
    };
}

// Return what to offer as the name of an example. label: one that the moment has; latest: the name taught last, or null
export function namesToTeach(names, { label, latest }) {
    const now = label ?? latest;
    const option = (action, more) => ({ value: { action }, label: action, isNow: action === now, ...more });
    const none = { heading: "Something else", options: [option(null, { label: "None of these" })] };
    return (query) => {
        const typed = oneLine(query);
        const own = typed || (label ?? "");
        const { meant, others, isNew } = sorted(names, own, new Set(names));
        const offered = typed ? `New: “${own}”` : own;
        return [
            { heading: "My actions", options: (typed ? meant : names).map((name) => option(name)) },
            { heading: "A new action", options: own && isNew ? [option(own, { label: offered })] : [] },
            { heading: "Other actions of mine", options: typed ? others.map((name) => option(name)) : [] },
            none,
        ];
    };
}

export function peopleToFind(model, lanes) {
    const options = lanes.map((lane) => ({
        value: lane,
        label: lane.title,
        picture: lane.picture ? model.api.url(lane.picture) : null,
    }));
    return (query) => [{ heading: "People", options: options.filter(({ label }) => rank(label, words(query)) < Infinity) }];
}

// The actions of the segments in view, the most frequent first.
function usedLabels({ segments }) {
    const counts = segments.actions.map(() => 0);
    for (const action of segments.action) counts[action] += 1;
    return segments.actions
        .map((label, k) => ({ label, count: counts[k] }))
        .filter(({ count }) => count)
        .toSorted((one, other) => other.count - one.count)
        .map(({ label }) => label);
}

// The labels in view that a user gave.
function labelsGiven({ segments }) {
    return new Set(segments.action.filter((_, row) => segments.source[row]).map((k) => segments.actions[k]));
}

// Sort the labels that have the typed words into those that may be meant and others; isNew: none is what was typed.
function sorted(labels, typed, given) {
    const small = typed.toLowerCase();
    const isTyped = (label) => label.toLowerCase() === small;
    const isMeant = (label) => isTyped(label) || (given.has(label) && label.toLowerCase().startsWith(small));
    return {
        meant: found(labels.filter(isMeant), typed),
        others: found(labels.filter((label) => !isMeant(label)), typed),
        isNew: !labels.some(isTyped),
    };
}

function found(labels, query) {
    const wanted = words(query);
    return labels
        .map((label) => ({ label, place: rank(label, wanted) }))
        .filter(({ place }) => place < Infinity)
        .toSorted((one, other) => one.place - other.place || one.label.localeCompare(other.label))
        .slice(0, MOST_FOUND)
        .map(({ label }) => label);
}

function oneLine(query) {
    return query.replaceAll(/\s+/g, " ").slice(0, OWN_CHARACTERS);
}

function words(text) {
    return text.toLowerCase().split(/\s+/).filter(Boolean);
}

// 0 if the label begins with the first word, 1 if one of its words does, 2 if the word is somewhere; all must occur.
function rank(label, wanted) {
    const text = label.toLowerCase();
    if (!wanted.every((word) => text.includes(word))) return Infinity;
    const [first = ""] = wanted;
    if (text.startsWith(first)) return 0;
    return text.includes(` ${first}`) || text.includes(`(${first}`) ? 1 : 2;
}
