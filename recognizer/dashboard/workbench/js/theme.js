// The app's colours, light or dark, for what is drawn on a canvas.

// Keep `model.theme` in step with the app: {dark, text, background, secondary, border, primary, font}.
export function followTheme(place, model, signal) {
    const look = () => {
        const theme = read(getComputedStyle(place));
        if (JSON.stringify(theme) !== JSON.stringify(model.theme)) model.setTheme(theme);
    };
    look();
    // the app changes its variables in the style of an element around this one
    const watcher = new MutationObserver(look);
    for (let one = place.getRootNode().host ?? place; one; one = one.parentElement) {
        watcher.observe(one, { attributes: true, attributeFilter: ["style", "class"] });
    }
    watcher.observe(document.head, { childList: true, subtree: true, characterData: true });
    signal.addEventListener("abort", () => watcher.disconnect());
}

function read(style) {
    const of = (name, otherwise) => style.getPropertyValue(`--st-${name}`).trim() || otherwise;
    const background = of("background-color", "#ffffff");
    return {
        dark: luminance(background) < 0.4,
        background,
        text: of("text-color", "#1d2a30"),
        secondary: of("secondary-background-color", "#f1ece2"),
        border: of("border-color", "#d9d1c3"),
        primary: of("primary-color", "#0f6b66"),
        font: of("font", "sans-serif"),
    };
}

// 0 for black to 1 for white; exact enough to tell a light page from a dark one
function luminance(color) {
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = color;
    probe.fillRect(0, 0, 1, 1);
    const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}
