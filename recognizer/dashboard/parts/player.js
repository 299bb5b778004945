// Plays a video of the server. See player.py.

import { appAddress } from "./app_address.js";

const DAMAGED = "This browser cannot play the video.";
const UNREACHABLE = "The server could not be reached; reload the page.";

// Returns in one sentence why the video does not play: a player tells its page nothing of an answer.
async function problemOf(address) {
    try {
        const answer = await fetch(address, { headers: { Range: "bytes=0-0" } });
        return answer.ok ? DAMAGED : (await answer.json()).problem;
    } catch (error) {
        console.warn(error);
        return UNREACHABLE;
    }
}

async function explain(video, problem) {
    const address = video.src;
    const text = await problemOf(address);
    if (video.src !== address) return; // it plays another one now
    problem.textContent = text;
    problem.hidden = false;
}

export default function draw({ data, parentElement }) {
    const video = parentElement.querySelector("video");
    const problem = parentElement.querySelector(".problem");
    const address = new URL(data.path, appAddress()).href;
    video.setAttribute("aria-label", data.label);
    if (video.src === address) return;
    if (!video.src) video.addEventListener("error", () => explain(video, problem));
    problem.hidden = true;
    video.src = address;
}
