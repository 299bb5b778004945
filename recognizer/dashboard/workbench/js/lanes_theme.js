// Colours of the canvas: the app's, and the actions' from the server, with the palette's patterns.

const PATTERN_PX = 7;
const PATTERN_SHARE = 0.4; // opacity of a pattern over its colour, as in plots/layout.py

const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

const known = new Map();

// Return `[red, green, blue]`, 0 to 255, of any CSS colour.
export function rgbOf(color) {
    if (!known.has(color)) known.set(color, read(color));
    return known.get(color);
}

function read(color) {
    probe.canvas.width = probe.canvas.height = 1;
    probe.fillStyle = color;
    probe.fillRect(0, 0, 1, 1);
    return Array.from(probe.getImageData(0, 0, 1, 1).data.subarray(0, 3));
}

// The relative luminance of WCAG 2.2, 0 for black to 1 for white.
function luminance(rgb) {
    const [red, green, blue] = rgb.map((one) => one / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

// Return black or white, whichever contrasts more: above a luminance of 0.179, black does.
export const textOn = (rgb) => (luminance(rgb) > 0.179 ? [0, 0, 0] : [255, 255, 255]);

const css = ([red, green, blue], share = 1) => `rgba(${red},${green},${blue},${share})`;

// The page's colours: those of the app (`model.theme`), and what follows from them.
export class Theme {
    constructor({ dark, text = "#1d2a30", background = "#fcfaf6", primary = "#0f6b66", font = "sans-serif" }) {
        const ink = rgbOf(text);
        this.isDark = dark;
        this.font = font;
        this.accent = primary;
        this.background = background;
        this.text = text;
        this.quiet = css(ink, 0.72);
        this.grid = css(ink, dark ? 0.14 : 0.12);
        this.line = css(ink, 0.25);
        this.presence = css(ink, dark ? 0.17 : 0.11);
        this.band = css(ink, 0.06);
        this.notAnalysed = css(ink, 0.07);
        this.movement = { still: css(ink, 0.38), slow: css(ink, 0.66), fast: text };
        this.checked = dark ? "#29A370" : "#218368"; // the palette's green, always with a check mark
    }
}

// How each action of the segments is filled, and the colour of its text.
export class ActionFills {
    constructor(segments, theme, scale) {
        const colors = segments.colors[theme.isDark ? "dark" : "light"];
        this.colors = colors;
        this.texts = colors.map((one) => css(textOn(rgbOf(one))));
        this.patterns = colors.map((one, k) => patternOf(segments.patterns?.[k], one, scale));
        this.fills = colors.map((one, k) => this.patterns[k] ?? one);
        this.scale = scale;
    }

    // Let the patterns move with the time, as if they were painted on the segments.
    shift(x) {
        const moved = new DOMMatrix([1 / this.scale, 0, 0, 1 / this.scale, x % PATTERN_PX, 0]);
        for (const pattern of this.patterns) pattern?.setTransform(moved);
    }
}

const SHAPES = {
    "/": (path, size) => {
        for (const x of [-size, 0, size]) {
            path.moveTo(x - 1, size + 1);
            path.lineTo(x + size + 1, -1);
        }
    },
    x: (path, size) => {
        path.moveTo(-1, -1);
        path.lineTo(size + 1, size + 1);
        path.moveTo(-1, size + 1);
        path.lineTo(size + 1, -1);
    },
    ".": (path, size) => path.arc(size / 2, size / 2, size / 5, 0, 2 * Math.PI),
};

function patternOf(shape, color, scale) {
    const draw = SHAPES[shape];
    if (!draw) return null;
    const tile = document.createElement("canvas");
    tile.width = tile.height = Math.round(PATTERN_PX * scale);
    const context = tile.getContext("2d");
    context.fillStyle = color;
    context.fillRect(0, 0, tile.width, tile.height);
    context.scale(tile.width / PATTERN_PX, tile.height / PATTERN_PX);
    const ink = css(textOn(rgbOf(color)), PATTERN_SHARE);
    context.strokeStyle = context.fillStyle = ink;
    context.lineWidth = 1.3;
    context.beginPath();
    draw(context, PATTERN_PX);
    if (shape === ".") context.fill();
    else context.stroke();
    return context.createPattern(tile, "repeat");
}
