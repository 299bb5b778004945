// Remembers this browser's own analyses, comparisons and sets of actions. See history.py.

export default function history({ data, setStateValue }) {
    // Streamlit's own scripts are two folders below the app's address
    const own = document.querySelector('script[src*="static/js/"]');
    const app = own ? new URL("../../", own.src) : new URL(document.baseURI);
    import(new URL(`${data.modules}/memory.js`, app).href).then(({ forget, remember, remembered, setPerson }) => {
        setPerson(data.person);
        for (const id of data.forgotten) forget(data.kind, id);
        const ids = data.named ? remember(data.kind, data.named) : remembered(data.kind);
        if (data.known && JSON.stringify(ids) !== JSON.stringify(data.known)) setStateValue("names", ids);
        return ids;
    }, console.warn);
}
