"""A worker's process with stand-ins for the networks: ``python -m tests.support.batch_scripted THREADS``."""

from __future__ import annotations

import os

from recognizer.batch import worker
from tests.support.batch import ScriptedNetworks

if __name__ == "__main__":
    os.environ["RECOGNIZER_DECODER"] = "inline"
    worker.main(ScriptedNetworks())
