"""People in files as cameras and recorders write them get the labels that they get in the plain original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from recognizer.analysis.file import analyze
from recognizer.networks.cache import ModelCache
from recognizer.settings import Settings, recommended
from tests.support.ffmpeg import ffmpeg

pytestmark = pytest.mark.real

X264 = ("-an", "-c:v", "libx264", "-crf", "12", "-preset", "veryfast", "-pix_fmt", "yuv420p")
TFF = ("-flags", "+ildct+ilme", "-x264-params", "tff=1")

DURATION_S = 3
ONE_CLIP = ("-t", "2.6")
"""As much as the network is shown at once; a second clip would take as long, for mostly the same pictures."""


def hdr(transfer: str) -> tuple[str, ...]:
    return (
        *(*ONE_CLIP, "-an", "-vf"),
        "format=gbrp,setparams=color_primaries=bt709:color_trc=bt709:colorspace=gbr:range=full,"
        f"zscale=npl=203:p=bt2020:t={transfer}:m=bt2020nc:r=limited,format=yuv420p10le",
        *("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:crf=12"),
        *("-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"),
    )


# clip, how the plain file is made from it, how the other one is, and what the plain pictures show
KINDS = {
    "oblong pixels": (
        "tv_v_SoccerJuggling_g24_c01.avi",
        (*ONE_CLIP, *X264),
        (*ONE_CLIP, "-vf", "scale=360:576,setsar=32/15", *X264),
        "juggling soccer ball",
    ),
    "interlaced": (
        "tv_v_SoccerJuggling_g24_c01.avi",
        ("-vf", "select='not(mod(n,2))'", "-r", "14.985", *X264),
        ("-vf", "tinterlace=interleave_top,setfield=tff", *TFF, *X264),
        "juggling soccer ball",
    ),
    "PQ": ("stgcn_ta_chi.mp4", (*ONE_CLIP, *X264), hdr("smpte2084"), "tai chi"),
    "HLG": ("stgcn_ta_chi.mp4", (*ONE_CLIP, *X264), hdr("arib-std-b67"), "tai chi"),
}


Probabilities = Callable[[str, tuple[str, ...]], "Counter[str]"]


@pytest.fixture(scope="module")
def probabilities(clips_dir: Path, tmp_path_factory: pytest.TempPathFactory, networks: ModelCache) -> Probabilities:
    """Make a file from a clip with these arguments of FFmpeg, and return what the person with the most clips does.

    Several kinds have the same plain original.
    """

    @cache
    def of_file(clip: str, how: tuple[str, ...]) -> Counter[str]:
        folder = tmp_path_factory.mktemp("pictures")
        ffmpeg("-t", f"{DURATION_S}", "-i", clips_dir / clip, *how, "made.mp4", folder=folder)
        return mean_probabilities(folder / "made.mp4", networks)

    return of_file


def mean_probabilities(path: Path, networks: ModelCache) -> Counter[str]:
    """Return the mean probabilities of the person with the most clips."""
    settings = recommended(Settings(video_classifier_model="i3d"), 30.0)
    timeline = analyze(path, settings, models=networks.get(settings))
    ((person_id, clips),) = Counter(one.person_id for one in timeline.predictions).most_common(1)
    mean: Counter[str] = Counter()
    for prediction in timeline.predictions:
        if prediction.person_id == person_id:
            for label, probability in prediction.top:
                mean[label] += probability / clips  # type: ignore[assignment]  # a Counter holds floats as well
    return mean


@pytest.mark.parametrize("kind", KINDS)
def test_label_is_that_of_the_plain_original(probabilities: Probabilities, kind: str) -> None:
    clip, plainly, otherwise, label = KINDS[kind]
    plain, other = probabilities(clip, plainly), probabilities(clip, otherwise)
    assert plain.most_common(1)[0][0] == other.most_common(1)[0][0] == label
    assert other[label] == pytest.approx(plain[label], abs=0.12)
