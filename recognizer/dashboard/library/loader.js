// What Streamlit runs: the modules come from this server, so that browsers keep them (see component.py).
export default function library({ parentElement, data, setTriggerValue }) {
    // Streamlit's own scripts are two folders below the app's address
    const own = document.querySelector('script[src*="static/js/"]');
    const app = own ? new URL("../../", own.src) : new URL(document.baseURI);
    const root = parentElement.querySelector(".library");
    const go = (wish) => setTriggerValue("wish", wish);
    let end = null;
    let ended = false;
    import(new URL(`${data.modules}/main.js`, app).href).then(
        ({ mount }) => {
            if (!ended) end = mount(root, { ...data, app: app.href, go });
            return end;
        },
        (error) => {
            root.textContent = `The library cannot be loaded: ${error.message}`;
        },
    );
    return () => {
        ended = true;
        end?.();
    };
}
