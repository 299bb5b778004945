// Load pictures two at a time: a browser has six connections to a server, and the video and the segments need some.

const MOST = 2;
const waiting = [];
let loading = 0;

export function loadPicture(image, url) {
    waiting.push([image, url]);
    if (loading < MOST) loadNext();
}

async function loadNext() {
    const [image, url] = waiting.shift();
    loading += 1;
    image.src = url;
    try {
        await image.decode();
        image.style.visibility = "";
    } catch {
        image.style.visibility = "hidden"; // there is no video to cut it out of
    }
    loading -= 1;
    if (waiting.length) loadNext();
}
