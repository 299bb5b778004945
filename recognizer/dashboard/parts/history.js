// Remembers this browser's own analyses, comparisons and sets of actions. See history.py.

import { appAddress } from "./app_address.js";

export default function history({ data, setStateValue }) {
    import(new URL(`${data.modules}/memory.js`, appAddress()).href).then(({ forget, remember, remembered, setPerson }) => {
        setPerson(data.person);
        for (const id of data.forgotten) forget(data.kind, id);
        const ids = data.named ? remember(data.kind, data.named) : remembered(data.kind);
        if (data.known && JSON.stringify(ids) !== JSON.stringify(data.known)) setStateValue("names", ids);
        return ids;
    }, console.warn);
}
