// The boxes around the current time, fetched in chunks before they are needed.

const CHUNK_S = 20;
const MOST_CHUNKS = 12; // of a few hundred kilobytes each, even with many people
const AGAIN_MS = 5000; // after a failure

export class BoxStore {
    constructor(api, onLoad) {
        this.api = api;
        this.onLoad = onLoad;
        this.chunks = new Map(); // by number, the most recently used last: {tracks} or {failedMs}
    }

    clear() {
        this.chunks.clear();
    }

    at(timeS, lanes) {
        const number = Math.max(0, Math.floor(timeS / CHUNK_S));
        const chunk = this.chunk(number);
        this.chunk(number + 1);
        if (!chunk.tracks) return [];
        const people = [];
        lanes.forEach((lane, laneIndex) => {
            const box = boxOf(lane, timeS, chunk.tracks);
            if (box) people.push({ laneIndex, lane, box });
        });
        return people;
    }

    chunk(number) {
        let chunk = this.chunks.get(number);
        if (chunk?.failedMs && performance.now() - chunk.failedMs > AGAIN_MS) chunk = null;
        this.chunks.delete(number);
        if (!chunk) {
            chunk = {};
            this.load(number, chunk);
        }
        this.chunks.set(number, chunk);
        if (this.chunks.size > MOST_CHUNKS) this.chunks.delete(this.chunks.keys().next().value);
        return chunk;
    }

    async load(number, chunk) {
        try {
            chunk.tracks = tracksOf(await this.api.boxes(number * CHUNK_S, (number + 1) * CHUNK_S));
            this.onLoad();
        } catch {
            chunk.failedMs = performance.now(); // the picture is still there without boxes
        }
    }
}

// Read the tracks of a chunk, by the machine's number of the person. See `boxes` in ../routes.py.
export function tracksOf(bytes) {
    const view = new DataView(bytes);
    const tracks = new Map();
    let at = 4;
    for (let left = view.getUint32(0, true); left > 0; left -= 1) {
        const person = view.getUint32(at, true);
        const samples = view.getUint32(at + 4, true);
        at = aligned(at + 8);
        const timeS = new Float64Array(bytes, at, samples);
        at += 8 * samples;
        const edges = Array.from({ length: 4 }, (_, edge) => new Uint16Array(bytes, at + 2 * samples * edge, samples));
        at += 8 * samples;
        tracks.set(person, { timeS, edges });
    }
    return tracks;
}

function aligned(offset) {
    return Math.ceil(offset / 8) * 8;
}

// A lane's box at a time; null while the person is away. As `PersonTrack.box_at` in Python.
function boxOf(lane, timeS, tracks) {
    const visit = lane.presence.find(([startS, endS]) => startS <= timeS && timeS < endS);
    if (!visit) return null;
    const sources = lane.sources.filter(([, fromS, toS]) => fromS <= timeS && timeS < toS);
    for (const [person] of sources) {
        const track = tracks.get(person);
        const box = track && boxAt(track, timeS, visit);
        if (box) return box;
    }
    return null;
}

function boxAt({ timeS: times, edges }, timeS, [visitStartS, visitEndS]) {
    const after = firstAfter(times, timeS);
    const before = Math.max(0, after - 1);
    const next = Math.min(times.length - 1, after);
    // a merged person's other number may have samples on both sides of this visit and none in it
    if (!times.length || (times[before] < visitStartS && times[next] >= visitEndS)) return null;
    // after the last sample of a visit the box does not move: the next sample belongs to another visit
    const moves = after > 0 && after < times.length && times[after] < visitEndS;
    const share = moves ? (timeS - times[before]) / (times[after] - times[before]) : 0;
    return edges.map((edge) => (edge[before] + share * (edge[next] - edge[before])) / 65535);
}

function firstAfter(times, timeS) {
    let low = 0;
    let high = times.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (times[middle] <= timeS) low = middle + 1;
        else high = middle;
    }
    return low;
}
