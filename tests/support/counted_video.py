"""A video whose pictures say which frame they are, to people and to a browser."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

BITS = 16
"""Squares along the bottom, the lowest bit first: white is 1, black is 0."""

NTSC_RATE = Fraction(30000, 1001)


def counted_picture(number: int, width: int = 320, height: int = 180) -> NDArray[np.uint8]:
    """Return uint8 (height, width, 3) with the frame's number in digits and in squares."""
    rgb = np.full((height, width, 3), 70, np.uint8)
    rgb[:, :, 2] = np.linspace(60, 140, width, dtype=np.uint8)
    cv2.putText(rgb, str(number), (width // 20, height // 4), cv2.FONT_HERSHEY_SIMPLEX, height / 180, (255, 255, 0), 2)
    side = width // BITS
    for bit in range(BITS):
        rgb[height - side :, bit * side : (bit + 1) * side] = 255 if number >> bit & 1 else 0
    return rgb


def counted_video(path: Path, frames: int, *, rate: Fraction = NTSC_RATE, size: tuple[int, int] = (320, 180)) -> Path:
    """Write an H.264 video in which frame k shows k; without B-frames, so that its clock begins at 0."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"bf": "0", "g": "60", "crf": "20"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(counted_picture(number, *size), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


SHOWN_NUMBER_JS = """
    (video) => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
        const context = canvas.getContext("2d");
        context.drawImage(video, 0, 0);
        const side = Math.floor(canvas.width / 16);
        let number = 0;
        for (let bit = 0; bit < 16; bit += 1) {
            const [red] = context.getImageData((bit + 0.5) * side, canvas.height - side / 2, 1, 1).data;
            if (red > 127) number += 2 ** bit;
        }
        return number;
    }
"""
"""A JavaScript function: the number in the picture that a video element shows."""
