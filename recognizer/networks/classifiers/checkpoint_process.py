"""Read a user's checkpoint in a process of its own; only plain numbers come back (docs/decisions/093).

PyTorch's files are archives of pickles. What a damaged or hostile one makes of its reader ends that process: the
weights that fit the network are written as safetensors there, and only that file is read here.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import safetensors
import safetensors.torch

from recognizer import errors, processes
from recognizer.classifier_specs import SPECS, ClassifierSpec
from recognizer.errors import CheckpointError, RecognizerError
from recognizer.limits import limits
from recognizer.networks.classifiers.checkpoint import FittedWeights, fit, read_tensors

_MODULE: Final = "recognizer.networks.classifiers.checkpoint_process"

_REFUSED: Final = 3
"""The exit code after an error that is written to the standard output."""

_STARTS_WITHIN_S: Final = 60
"""Time for PyTorch to load on a busy machine."""

_COPIES: Final = 3
"""The tensors as they are in the file, in float32, and as they are written."""


def own_weights(path: Path, spec: ClassifierSpec) -> FittedWeights:
    """Return a user's own weights for a network, on the CPU.

    Raises:
        CheckpointError: the file cannot be read, holds more than weights, or does not fit the network.
        LimitError: the file is larger than a checkpoint may be.
    """
    if not processes.are_used():
        return fit(read_tensors(path), spec, path)
    with tempfile.TemporaryDirectory(prefix="recognizer-checkpoint-") as folder:
        target = Path(folder, "weights.safetensors")
        _fit_elsewhere(path, spec, target)
        try:
            state_dict = safetensors.torch.load_file(target, device="cpu")
            return FittedWeights(state_dict, num_classes=state_dict[f"{spec.head}.weight"].shape[0])
        except (safetensors.SafetensorError, OSError, KeyError, IndexError) as error:
            raise _broken(path, "wrote something else than weights") from error


def _fit_elsewhere(path: Path, spec: ClassifierSpec, target: Path) -> None:
    """Have another process write the weights that fit.

    Raises:
        CheckpointError: as ``own_weights``, or the process broke down.
        LimitError: as ``own_weights``.
    """
    most_bytes = _COPIES * limits().max_checkpoint_bytes
    words = [*processes.command(_MODULE), str(path), spec.name, str(target), str(most_bytes)]
    stall_s = limits().max_decoder_stall_s
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=processes.environment(),
            process_group=processes.own_group(),
            timeout=_STARTS_WITHIN_S + stall_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _broken(path, f"took longer than {stall_s} s") from error
    if done.returncode == _REFUSED:
        raise _restored(done.stdout, path)
    if done.returncode != 0:
        raise _broken(path, processes.ending(done.returncode))


def _broken(path: Path, how: str) -> CheckpointError:
    return CheckpointError(
        f"the process that read checkpoint '{path}' {how}; copy the file again, or save its weights as safetensors"
        " (safetensors.torch.save_file)."
    )


def _restored(answer: bytes, path: Path) -> RecognizerError:
    """Return the error that the other process wrote."""
    try:
        name, sentence = json.loads(answer)
        kind = {"CheckpointError": CheckpointError, "LimitError": errors.LimitError}[name]
        return kind(str(sentence))
    except (ValueError, KeyError, TypeError):
        return _broken(path, "said something wrong")


def main() -> int:
    """Write the weights in ``argv[1]`` that fit the network ``argv[2]`` to ``argv[3]``; return the exit code."""
    path, spec, target, most_bytes = Path(sys.argv[1]), SPECS[sys.argv[2]], Path(sys.argv[3]), int(sys.argv[4])
    processes.limit_this_process(processes.address_space_bytes() + most_bytes)
    try:
        weights = fit(read_tensors(path), spec, path)
    except (CheckpointError, errors.LimitError) as error:
        sys.stdout.write(json.dumps([type(error).__name__, str(error)]))
        return _REFUSED
    plain = {name: tensor.detach().clone().contiguous() for name, tensor in weights.state_dict.items()}
    safetensors.torch.save_file(plain, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
