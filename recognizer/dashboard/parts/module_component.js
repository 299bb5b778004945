// What Streamlit runs: the modules come from this server, so that browsers keep them (see module_component.py).
export default function moduleComponent({ parentElement, data, setStateValue, setTriggerValue }) {
    // Streamlit's own scripts are two folders below the app's address
    const own = document.querySelector('script[src*="static/js/"]');
    const app = own ? new URL("../../", own.src) : new URL(document.baseURI);
    const root = parentElement.querySelector("[data-shows]");
    let end = null;
    let ended = false;
    import(new URL(`${data.modules}/main.js`, app).href).then(
        ({ mount }) => {
            const told = { ...data, api: new URL(data.api, app).href, app: app.href };
            if (!ended) end = mount(root, told, { setStateValue, setTriggerValue });
            return end;
        },
        (error) => {
            root.textContent = `The ${root.dataset.shows} cannot be loaded: ${error.message}`;
        },
    );
    return () => {
        ended = true;
        end?.();
    };
}
