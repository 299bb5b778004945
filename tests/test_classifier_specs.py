"""The table of classifiers."""

from __future__ import annotations

import subprocess
import sys

_NEW_CLASSIFIER = """
from dataclasses import replace
from recognizer import classifier_specs as specs

weights = specs.WeightsFile("new.ckpt", "MIT", 9, "a" * 64, archives=(("package==1.0", "package/new.ckpt"),))
specs.SPECS["new"] = replace(
    specs.SPECS["s3d"], name="new", weights=weights, recommended_samples=20, recommended_rate_hz=10.0
)

from recognizer.settings import Settings, recommended
from recognizer.weights.published import published

settings = recommended(Settings(video_classifier_model="new"), 30.0)
assert (settings.num_video_sequence_samples, settings.skip_frame) == (20, 3)
file = published("new")
assert (file.kind, file.file_name, file.accuracy) == ("classifier", "new.ckpt", specs.SPECS["new"].top1_percent)
assert file.mirrors[0].member == "package/new.ckpt"
"""


def test_a_new_classifier_is_one_entry() -> None:
    # in a process of its own: the tables that follow from it are made when they are imported
    done = subprocess.run([sys.executable, "-c", _NEW_CLASSIFIER], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
