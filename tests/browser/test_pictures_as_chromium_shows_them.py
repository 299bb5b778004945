"""The reader's pictures have the size and the colours that Chromium shows for the same file."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.video import make_preview, open_video, poster
from tests.support.ffmpeg import ffmpeg

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

FIRST_PICTURE = """async ([data, columns]) => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const video = document.createElement("video");
    video.muted = true;
    const shown = new Promise((resolve, reject) => {
        video.requestVideoFrameCallback(resolve);
        video.onerror = () => reject(new Error(video.error.message));
    });
    video.src = URL.createObjectURL(new Blob([bytes], {type: "video/mp4"}));
    document.body.append(video);
    await shown;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0);
    const colors = [];
    for (let column = 0; column < columns; column++) {
        const x = Math.floor((column + 0.5) * canvas.width / columns);
        colors.push([...context.getImageData(x, Math.floor(canvas.height / 2), 1, 1).data.slice(0, 3)]);
    }
    return {width: canvas.width, height: canvas.height, colors};
}"""

PATCHES = ((60, 60, 60), (128, 128, 128), (235, 235, 235), (200, 40, 40), (40, 160, 60), (50, 60, 190), (224, 172, 140))

# size, pixel aspect, the code of all three colour tags (None leaves them out), and the range of the values
KINDS = {
    "PAL, 4:3": ("720x576", "16/15", None, ""),
    "PAL, 16:9": ("720x576", "64/45", None, ""),
    "NTSC, 4:3": ("720x480", "8/9", None, ""),
    "NTSC, 16:9": ("720x480", "32/27", None, ""),
    "HDV": ("1440x1080", "4/3", None, ""),
    "tall pixels": ("640x480", "1/2", None, ""),
    "SD, untagged": ("640x360", "1", None, ""),
    "HD, untagged": ("1280x720", "1", None, ""),
    "almost HD, untagged": ("1280x718", "1", None, ""),
    "portrait, untagged": ("720x1280", "1", None, ""),
    "SD, BT.709": ("640x360", "1", 1, ""),
    "HD, BT.601": ("1280x720", "1", 6, ""),
    "HD, BT.709": ("1280x720", "1", 1, ""),
    "SD, full range": ("640x360", "1", None, "full"),
    "HD, full range, BT.709": ("1280x720", "1", 1, "full"),
}


def made(folder: Path, kind: str) -> Path:
    size, aspect, code, color_range = KINDS[kind]
    width, height = map(int, size.split("x"))
    rgb = np.zeros((height, width, 3), np.uint8)
    for column, part in enumerate(np.array_split(np.arange(width), len(PATCHES))):
        rgb[:, part] = PATCHES[column]
    rgb.tofile(folder / "raw.rgb")
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", "25", "-stream_loop", "9", "-i", "raw.rgb")
    pixels = "yuvj420p" if color_range else "yuv420p"
    filters = f"scale=out_range={color_range or 'limited'},format={pixels},setsar={aspect}"
    ffmpeg(*raw, "-vf", filters, "-c:v", "libx264", "-preset", "ultrafast", "-qp", "2", "plain.mp4", folder=folder)
    tags = f"colour_primaries={code}:transfer_characteristics={code}:matrix_coefficients={code}" if code else ""
    metadata = ("-bsf:v", f"h264_metadata={tags}") if tags else ()
    ffmpeg("-i", "plain.mp4", "-c", "copy", *metadata, "tagged.mp4", folder=folder)
    return folder / "tagged.mp4"


@pytest.mark.parametrize("kind", KINDS)
def test_size_and_colors_are_chromiums(browser: Browser, tmp_path: Path, kind: str) -> None:
    path = made(tmp_path, kind)
    make_preview(path, tmp_path / "preview.mp4", max_height_px=2000)
    page = browser.new_page()
    try:
        shown, preview = (
            page.evaluate(FIRST_PICTURE, [base64.b64encode(file.read_bytes()).decode(), len(PATCHES)])
            for file in (path, tmp_path / "preview.mp4")
        )
    finally:
        page.close()
    with open_video(path) as video:
        assert (video.facts.width, video.facts.height) == (shown["width"], shown["height"])
    ours = middles(poster(path).rgb)
    # Chromium also converts the primaries of BT.601, by up to four levels
    assert np.abs(ours - shown["colors"]).max() <= 6
    assert np.abs(middles(poster(tmp_path / "preview.mp4").rgb) - preview["colors"]).max() <= 6
    # the preview is compressed more
    assert np.abs(ours - preview["colors"]).max() <= 12


def middles(rgb: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the colours in the middle of the patches."""
    columns = [int((column + 0.5) * rgb.shape[1] / len(PATCHES)) for column in range(len(PATCHES))]
    return rgb[rgb.shape[0] // 2, columns].astype(np.int64)
