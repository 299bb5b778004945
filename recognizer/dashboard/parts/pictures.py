"""Pictures that come with the page.

Streamlit would serve an array as a file, and delete the file when any two runs have ended after another picture took
its place; on a busy server, that is before the browser has asked for it.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Final

from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_QUALITY: Final = 90


def data_url(rgb: NDArray[np.uint8], most_px: int) -> str:
    """Return a picture as a data URL.

    Args:
        rgb: uint8 (H, W, 3).
        most_px: a wider or higher picture is scaled down.
    """
    picture = Image.fromarray(rgb)
    picture.thumbnail((most_px, most_px))
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(encoded.getvalue()).decode()}"
