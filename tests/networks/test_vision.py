"""What is used of torchvision: imported without PyTorch's compiler, which works all the same."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

_CODE = """
import sys
from recognizer.networks import loading
assert "torchvision" not in sys.modules and "ultralytics.models" not in sys.modules
from recognizer.networks.vision import get_model
from torchvision.ops.roi_align import is_compile_supported

compiler = {"torch._dynamo", "torch._dynamo.utils", "sympy"}
assert not compiler & set(sys.modules), compiler & set(sys.modules)
supported = is_compile_supported("cpu")
from torch._dynamo.utils import is_compile_supported as real
assert compiler <= set(sys.modules)
assert supported == real("cpu")
assert sys.modules["torch._dynamo.utils"].counters is not None
"""


def test_networks_are_imported_without_the_compiler_which_is_there_when_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
