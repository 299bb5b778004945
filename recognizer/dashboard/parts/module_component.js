// What Streamlit runs: the modules come from this server, so that browsers keep them (see module_component.py).

import { appAddress } from "./app_address.js";

export default function moduleComponent({ parentElement, data, setStateValue, setTriggerValue }) {
    const app = appAddress();
    const root = parentElement.querySelector("[data-shows]");
    let end = null;
    let ended = false;
    import(new URL(`${data.modules}/main.js`, app).href).then(
        ({ mount }) => {
            const told = { ...data, api: new URL(data.api, app).href, app };
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
