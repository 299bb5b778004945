// What each lane holds, sorted by time, and how to find it by binary search.

// Stretches of one lane in order of time that do not overlap; `kinds` says what each is.
export class Spans {
    constructor(startsS, endsS, kinds, firstRow = 0) {
        this.startsS = startsS;
        this.endsS = endsS;
        this.kinds = kinds;
        this.firstRow = firstRow;
        this.length = startsS.length;
    }

    static of(triples) {
        const startsS = Float64Array.from(triples, (one) => one[0]);
        const endsS = Float64Array.from(triples, (one) => one[1]);
        return new Spans(startsS, endsS, triples.map((one) => one[2]));
    }

    // Return the first and the past of the stretches that reach into `[fromS, toS)`.
    within(fromS, toS) {
        return [firstAbove(this.endsS, fromS), firstAtLeast(this.startsS, toS)];
    }

    // Return the stretch at a time, or -1.
    at(timeS) {
        const k = firstAbove(this.endsS, timeS);
        return k < this.length && this.startsS[k] <= timeS ? k : -1;
    }

    // Call `draw(k, x1, x2)` for what is visible. Of stretches that share a pixel, the longest stands for all.
    eachVisible(view, leastPx, draw) {
        const [first, past] = this.within(view.startS, view.startS + view.spanS);
        for (let k = first; k < past;) {
            const x1 = view.xOf(this.startsS[k]);
            let x2 = view.xOf(this.endsS[k]);
            let shown = k;
            k += 1;
            if (x2 - x1 < leastPx) {
                while (k < past && view.xOf(this.endsS[k]) < x1 + leastPx) {
                    if (this.lengthS(k) > this.lengthS(shown)) shown = k;
                    k += 1;
                }
                x2 = x1 + leastPx;
            }
            draw(shown, x1, x2);
        }
    }

    lengthS(k) {
        return this.endsS[k] - this.startsS[k];
    }
}

// Return the index of the first value above `limit` in ascending values.
export function firstAbove(values, limit) {
    let low = 0;
    let high = values.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (values[middle] > limit) high = middle;
        else low = middle + 1;
    }
    return low;
}

export function firstAtLeast(values, limit) {
    let low = 0;
    let high = values.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (values[middle] >= limit) high = middle;
        else low = middle + 1;
    }
    return low;
}
