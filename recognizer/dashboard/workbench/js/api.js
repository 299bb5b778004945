// The server's answers about one opened analysis (see ../routes.py). Only this module and model.js talk to the server.

export class Problem extends Error {} // its message is one sentence for the user

export class Api {
    // base: the absolute address of the analysis, with a slash at its end
    constructor(base) {
        this.base = base;
    }

    url(path) {
        return new URL(path, this.base).href;
    }

    async revision() {
        return (await this.json("revision")).revision;
    }

    timeline() {
        return this.json("timeline");
    }

    segments(view) {
        return this.json("segments", view);
    }

    likely(view, row) {
        return this.json("likely", { ...view, row });
    }

    edits(edits) {
        return this.json("edits", { edits });
    }

    undo() {
        return this.json("undo", {});
    }

    redo() {
        return this.json("redo", {});
    }

    // sets: ids of the browser's sets of actions
    actions(sets) {
        return this.json(`actions?sets=${sets.map(encodeURIComponent).join(",")}`);
    }

    teach(example) {
        return this.json("examples", example);
    }

    forget(example) {
        return this.json("forget", example);
    }

    alike(moment) {
        return this.json("alike", moment);
    }

    boxes(fromS, toS) {
        return this.bytes(`boxes?fromS=${fromS}&toS=${toS}`);
    }

    async frames() {
        return new Float64Array(await this.bytes("frames"));
    }

    async json(path, body) {
        const answer = await this.answer(path, body);
        return answer.json();
    }

    async bytes(path) {
        const answer = await this.answer(path);
        return answer.arrayBuffer();
    }

    async answer(path, body) {
        const request = body === undefined ? {} : post(body);
        let answer;
        try {
            answer = await fetch(this.url(path), { credentials: "same-origin", ...request });
        } catch (error) {
            throw new Problem("The server does not answer: check that it still runs, then try again.", { cause: error });
        }
        if (!answer.ok) throw new Problem(await sentence(answer));
        return answer;
    }
}

function post(body) {
    return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

async function sentence(answer) {
    const unexpected = `The server answered ${answer.status}: reload the page, then try again.`;
    const isJson = answer.headers.get("content-type")?.includes("json");
    return isJson ? (await answer.json()).problem ?? unexpected : unexpected;
}
