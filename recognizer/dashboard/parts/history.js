// Remembers this browser's own analyses and comparisons. See history.py.

function remembered(place) {
    try {
        const names = JSON.parse(localStorage.getItem(place));
        return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
    } catch {
        return []; // storage is disabled, or its content is damaged
    }
}

export default function remember({ data, setStateValue }) {
    const place = `who-does-what-when.${data.kind}`;
    let names = remembered(place);
    if (data.named && !names.includes(data.named)) {
        names = [...names, data.named].slice(-data.most);
        try {
            localStorage.setItem(place, JSON.stringify(names));
        } catch (error) {
            console.warn(error);
        }
    }
    if (data.known && JSON.stringify(names) !== JSON.stringify(data.known)) setStateValue("names", names);
}
