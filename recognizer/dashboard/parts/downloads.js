// Downloads a file that the server makes when the button is pressed. See downloads.py.

import { appAddress } from "./app_address.js";

const FAILED = "The file could not be made; the server's log says why.";
const GONE = "The server could not be reached; reload the page.";

function save(href, name) {
    const link = document.createElement("a");
    link.href = href;
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
}

// Returns what went wrong in one sentence, or nothing.
async function download({ path, name }) {
    let answer;
    try {
        answer = await fetch(new URL(path, appAddress()));
        if (!answer.ok) return (await answer.json()).problem ?? FAILED;
        const href = URL.createObjectURL(await answer.blob());
        save(href, name);
        setTimeout(() => URL.revokeObjectURL(href), 60_000);
    } catch (error) {
        console.warn(error);
        return answer && !answer.ok ? FAILED : GONE;
    }
    return "";
}

const drawn = new WeakMap(); // what each button downloads, as the page last said

async function press(button, problem) {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    problem.hidden = true;
    problem.textContent = await download(drawn.get(button));
    problem.hidden = !problem.textContent;
    button.setAttribute("aria-busy", "false");
}

export default function draw({ data, parentElement }) {
    const button = parentElement.querySelector("button");
    const problem = parentElement.querySelector(".problem");
    if (!drawn.has(button)) button.addEventListener("click", () => press(button, problem));
    drawn.set(button, data);
    button.querySelector(".label").textContent = data.label;
    button.classList.toggle("in-menu", data.inMenu);
    button.title = data.help;
}
