"""The camera's picture in the live benchmarks: real clips side by side, 640 x 480, 30 frames per second."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from recognizer.video import open_video

CAMERA_HZ = 30
WIDTH, HEIGHT = 640, 480

CLIPS_DIR = Path(__file__).resolve().parents[2] / "shared" / "clips"

CLIPS = (
    "stgcn_ta_chi.mp4",
    "tv_v_SoccerJuggling_g24_c01.avi",
    "c11_signlanguage_one_signer_ccby.mp4",
    "tv_R6llTwEh07w.mp4",
    "tv_basketball.mp4",
    "stgcn_ta_chi.mp4",
)
"""Clips of one person each, placed side by side for several people."""

COLUMNS = {1: 1, 3: 3, 6: 3}
_CLIP_FRAMES = 200


def camera_frames(clips: Path, people: int, frames: int) -> list[NDArray[np.uint8]]:
    """Return the camera's frames, uint8 (480, 640, 3) each; the clips play forwards, then backwards."""
    if not clips.is_dir():
        sys.exit(f"the clips are not in '{clips}'; give their folder with --clips.")
    columns = COLUMNS.get(people, people)
    rows = -(-people // columns)
    cell_w, cell_h = WIDTH // columns, HEIGHT // rows
    canvases = [np.full((HEIGHT, WIDTH, 3), 96, np.uint8) for _ in range(frames)]
    for cell, name in enumerate(CLIPS[:people]):
        with open_video(clips / name) as reader:
            wanted = reader.frames(lambda index, _: index < _CLIP_FRAMES)
            pictures = [_fitted(frame.rgb, cell_w, cell_h) for frame in wanted]
        there_and_back = pictures + pictures[::-1]
        top, left = cell // columns * cell_h, cell % columns * cell_w
        for k, canvas in enumerate(canvases):
            canvas[top : top + cell_h, left : left + cell_w] = there_and_back[k % len(there_and_back)]
    return canvases


def _fitted(rgb: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Scale a picture to fill the cell, and crop it around the centre."""
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    size = (max(width, round(rgb.shape[1] * scale)), max(height, round(rgb.shape[0] * scale)))
    scaled = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.asarray(scaled[top : top + height, left : left + width], np.uint8)


def write_camera_file(frames: list[NDArray[np.uint8]], path: Path) -> None:
    """Write the frames as the uncompressed file that Chromium plays in a loop as its camera."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{CAMERA_HZ}:1 Ip A1:1 C420\n".encode())
        for rgb in frames:
            picture = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
            file.write(b"FRAME\n" + picture.to_ndarray().tobytes())
