// What this browser remembers: the ids of its own "analyses", "comparisons" and "sets" of actions, oldest first.
// People who sign in on the same browser each have their own.

const MOST = 100;
const PERSON = "who-does-what-when.person";

const placeOf = (kind) => `who-does-what-when.${kind}${sessionStorage.getItem(PERSON) ?? ""}`;

// Say who uses this tab; "" where nobody signs in.
export function setPerson(person) {
    try {
        sessionStorage.setItem(PERSON, person && `.${person}`);
    } catch (error) {
        console.warn(error);
    }
}

export function remembered(kind) {
    try {
        const ids = JSON.parse(localStorage.getItem(placeOf(kind)));
        return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
    } catch {
        return []; // storage is disabled, or its content is damaged
    }
}

// Remember one more, and return all ids, with it even where storage is disabled.
export function remember(kind, id) {
    const before = remembered(kind);
    if (before.includes(id)) return before;
    const ids = [...before, id].slice(-MOST);
    store(kind, ids);
    return ids;
}

export function forget(kind, id) {
    const before = remembered(kind);
    if (before.includes(id)) store(kind, before.filter((one) => one !== id));
}

function store(kind, ids) {
    try {
        localStorage.setItem(placeOf(kind), JSON.stringify(ids));
    } catch (error) {
        console.warn(error);
    }
}
