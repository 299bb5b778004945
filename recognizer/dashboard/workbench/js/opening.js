// A moment in the address: the page that it opens goes there, once.

export function hashOf({ personId, startS }) {
    return `#person=${personId}&at=${startS}`;
}

// Return {personId, timeS} from the page's address and remove it there; null if there is none.
export function takeMoment() {
    const given = new URLSearchParams(location.hash.slice(1));
    const [personId, timeS] = ["person", "at"].map((name) => Number.parseFloat(given.get(name)));
    if (!Number.isFinite(personId) || !Number.isFinite(timeS)) return null;
    history.replaceState(history.state, "", location.pathname + location.search);
    return { personId, timeS };
}
