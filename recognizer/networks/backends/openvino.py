"""Run a network with OpenVINO on the CPU: convert it from PyTorch, store the conversion, compile it when loading.

OpenVINO is optional. PyTorch replaces it if it has no wheel or does not load.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recognizer import processes
from recognizer.files import prune_lru, staged
from recognizer.memory import collect_and_give_back_memory, give_back_memory
from recognizer.networks.backends.batching import FairQueue
from recognizer.networks.backends.precise import keep_in_float32
from recognizer.networks.backends.pytorch import PyTorchRunner
from recognizer.networks.backends.ways import REFERENCE, Prepare, Rewritten, Way, has_bfloat16
from recognizer.weights.cache import file_sha256, locked

_log = logging.getLogger(__name__)

MAX_FOLDER_BYTES = 2 * 2**30
"""When converted networks exceed this, the least recently used are deleted."""

_MAX_COMPILED_SHAPES = 3
"""Input shapes that stay compiled; each holds another copy of the network's weights in memory."""

KEPT_IN_FLOAT32 = "kept_in_float32"
"""An attribute of a module: the name of its submodule that stays in float32 when the rest is rounded to bfloat16."""

_HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32", "mixed": "f32"}
"""What OpenVINO computes in where the network and its options do not say more; int8 is part of the network."""


_gives_way_by = 0


class UnavailableError(Exception):
    """OpenVINO cannot be used, on this machine or for this network; ``str(error)`` says why."""


@cache
def library() -> Any:
    """Import and return the module ``openvino``.

    Raises:
        UnavailableError: it is not installed or does not load.
    """
    # On import, OpenVINO sends usage statistics to its developers through this module, and sends nothing if the
    # module cannot be imported. Nothing leaves the machine (docs/decisions/010-backends.md).
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        import openvino
    except (ImportError, OSError) as error:
        raise UnavailableError(f"it does not load here: {error}") from error
    return openvino


@cache
def _core() -> Any:
    return library().Core()


def use_threads(count: int) -> None:
    """Let every network that is compiled from now on in this process use so many threads; nothing without OpenVINO."""
    if problem() is None:
        _core().set_property("CPU", {"INFERENCE_NUM_THREADS": count})


def give_way(by: int) -> None:
    """Let the threads of every network compiled from now on in this process give way, see ``processes.give_way``."""
    global _gives_way_by
    _gives_way_by = by


def problem() -> str | None:
    """Return why OpenVINO cannot be used on this machine, or None if it can."""
    try:
        library()
    except UnavailableError as error:
        return str(error)
    return None


def fold_constants(model: Any) -> None:
    """Compute, in place, what follows from constants alone; after it, weights that are rounded stay rounded."""
    passes = import_module("openvino.passes")
    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())
    manager.run_passes(model)


def quick_floats() -> dict[str, str]:
    """Return the option for a network that is only partly in int8: how its other layers compute here."""
    return {"INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16() else "f32"}


class ConvertedNetworks:
    """A size-limited folder of converted networks. Processes can share it."""

    def __init__(self, folder: Path, max_folder_bytes: int = MAX_FOLDER_BYTES) -> None:
        self._folder = folder
        self._max_folder_bytes = max_folder_bytes

    def network(self, key: str, build: Callable[[], tuple[nn.Module, Tensor]], *, any_length: bool = False) -> Any:
        """Return the converted network of this key; convert it if it is missing or damaged.

        Args:
            key: identifies everything that affects the result: weights, shape, versions. Valid as a file name.
            build: returns the module and an example input, whose shape the network is converted for.
            any_length: the first axis after the batch's stays open: the operations for the example serve every length.

        Raises:
            UnavailableError: OpenVINO does not load, or cannot convert this network.
        """
        library()
        path = self._folder / f"{key}.xml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with locked(path):
                found = self._read(path)
                if found is None:
                    self._write(path, _convert(*build(), any_length=any_length))
                    collect_and_give_back_memory()  # hundreds of MB, several times what the network takes
                    self._prune(path)
                    found = self._read(path)
        except OSError as error:
            _log.warning("converted networks cannot be stored, so each start takes longer: %s", error)
            found = None
        return _convert(*build(), any_length=any_length) if found is None else found

    def _read(self, path: Path) -> Any:
        try:
            digests = json.loads(_note(path).read_text(encoding="utf-8"))
            for file in (path, _weights(path)):
                if file_sha256(file) != digests[file.suffix]:
                    raise ValueError(f"'{file.name}' has changed since it was written")
            model = _core().read_model(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            # caused by a crash or a full disk; the network can be converted again
            _log.warning("the converted network %s is damaged (%s); converting it again", path.name, error)
            return None
        _note(path).touch()  # marks the network as recently used
        return model

    def _write(self, path: Path, model: Any) -> None:
        _note(path).unlink(missing_ok=True)  # written last, since the other files are ignored without it
        library().save_model(model, path, compress_to_fp16=False)
        digests = {file.suffix: file_sha256(file) for file in (path, _weights(path))}
        with staged(_note(path)) as part:
            part.write_text(json.dumps(digests), encoding="utf-8")

    def _prune(self, keep: Path) -> None:
        # delete the note first: the other files are ignored without it
        networks = [(note, note.with_suffix(".xml"), _weights(note)) for note in self._folder.glob("*.json")]
        prune_lru(networks, self._max_folder_bytes, keep={_note(keep)})


def _weights(path: Path) -> Path:
    return path.with_suffix(".bin")


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _convert(module: nn.Module, example: Tensor, *, any_length: bool = False) -> Any:
    shape = list(example.shape)
    if any_length:
        shape[1] = -1
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            # tracing warns that sizes become constants, which is intended where they do
            warnings.simplefilter("ignore")
            # traced here, because OpenVINO would trace twice to compare the results, which doubles the time
            traced = torch.jit.trace(module.eval(), example, check_trace=False)  # type: ignore[no-untyped-call]
            model = library().convert_model(traced, example_input=example)
            model.reshape(shape)
            if (part := getattr(module, KEPT_IN_FLOAT32, None)) is not None:
                model = keep_in_float32(library(), model, part)
    except Exception as error:  # tracing and converting do not document their exceptions
        _log.info("OpenVINO cannot convert the network", exc_info=True)
        raise UnavailableError(f"the network cannot be converted: {str(error).splitlines()[0]}") from error
    return model


class Compiled:
    """A converted network, compiled for this CPU. One caller at a time.

    Args:
        model: as ``ConvertedNetworks.network`` returns it, or changed.
        way: sets the number format.
        threads: how many threads it uses; None for one per core.
        changed_options: see ``Rewritten``.

    Raises:
        UnavailableError: the network cannot be compiled.
    """

    def __init__(
        self,
        model: Any,
        way: Way,
        threads: int | None = None,
        changed_options: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        # one input at a time on all cores; callers take turns
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": _HINTS[way.number_format],
            "NUM_STREAMS": 1,
            # otherwise a network with one thread runs on the first core, in each of several processes
            "ENABLE_CPU_PINNING": False,
        }
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        options |= changed_options
        try:
            # the network's threads get the priority of the thread that compiles it
            with ThreadPoolExecutor(1, initializer=partial(processes.give_way, _gives_way_by)) as compiling:
                compiled = compiling.submit(_core().compile_model, model, "CPU", options).result()
            self._request = compiled.create_infer_request()
        except RuntimeError as error:
            raise UnavailableError(f"the network cannot be compiled: {str(error).splitlines()[0]}") from error

    def __call__(self, one: NDArray[Any]) -> NDArray[np.float32]:
        """Return a copy of the output for one input of the shape that the network was converted for."""
        # not infer(): there the calling thread computes as well, at its own priority
        self._request.start_async([one], share_inputs=True)
        self._request.wait()
        return np.array(self._request.get_output_tensor(0).data, np.float32)


class OpenVinoRunner:
    """Run a network with OpenVINO; convert and compile it when an input of a new shape arrives.

    ``prepare`` checks whether that works. A later shape that cannot be converted runs with PyTorch.

    Args:
        converted: stores the converted networks.
        key: identifies the weights and everything else that affects the outputs, except the input's shape.
        module: returns the network in PyTorch, for shapes that are not converted yet.
        way: OpenVINO, in one of its number formats.
        queue: shared with other runners of the same network.
        threads: how many threads it uses; None for one per core.
        rewrite: changes the converted network before it is compiled, see ``SpecialFormat``; None leaves it as it is.
        shared_length: see ``TunableNetwork``.
    """

    def __init__(
        self,
        converted: ConvertedNetworks,
        key: str,
        module: Callable[[], nn.Module],
        way: Way,
        queue: FairQueue,
        threads: int | None = None,
        rewrite: Callable[[Any], Rewritten] | None = None,
        shared_length: int | None = None,
    ) -> None:
        self._converted = converted
        self._key = key
        self._module = module
        self._way = way
        self._queue = queue
        self._threads = threads
        self._rewrite = rewrite
        self._shared_length = shared_length
        self._compiled: OrderedDict[tuple[torch.dtype, tuple[int, ...]], tuple[Compiled, Prepare]] = OrderedDict()
        self._compiling = threading.Lock()  # not the queue: others can run while converting takes seconds

    @property
    def way(self) -> Way:
        """The library and the number format."""
        return self._way

    def max_batch_size(self, _shape: Sequence[int], /) -> int:
        """Return 1: one input keeps all cores busy, and a second in the same run gains nothing."""
        return 1

    def prepare(self, example: Tensor) -> None:
        """Convert and compile the network for the shape of the example, (1, …).

        Raises:
            UnavailableError: OpenVINO cannot run this network.
        """
        self._compiled_for(example)

    def __call__(self, batch: Tensor) -> Tensor:
        """See ``Runner``."""
        try:
            compiled, prepare = self._compiled_for(batch)
        except UnavailableError as error:
            _log.warning("PyTorch runs an input of shape %s: %s", tuple(batch.shape), error)
            return PyTorchRunner(self._module(), batch.ndim, torch.device("cpu"), REFERENCE, self._queue)(batch)
        outputs = []
        for one in torch.split(batch, 1):
            array = prepare(one.contiguous().numpy())
            with self._queue.turn():
                outputs.append(torch.from_numpy(compiled(array)))
        return torch.cat(outputs)

    def converted(self, example: Tensor) -> Any:
        """Return the converted network for inputs of the shape of the example, (1, …), before it is rewritten.

        Raises:
            UnavailableError: OpenVINO cannot run this network.
        """
        (length, *others), dtype = example.shape[1:], example.dtype
        key = f"{self._key}-{str(dtype).removeprefix('torch.')}"
        traced, any_length = length, False
        if self._shared_length is not None and length >= self._shared_length:
            traced, any_length = self._shared_length, True  # the shortest is traced the soonest
        sides = ["any" if any_length else length, *others]
        model = self._converted.network(
            f"{key}-{'x'.join(map(str, sides))}",
            lambda: (self._module(), torch.zeros(1, traced, *others, dtype=dtype)),
            any_length=any_length,
        )
        if any_length:
            try:
                model.reshape([1, length, *others])
            except RuntimeError as error:
                raise UnavailableError(
                    f"the network does not take another length: {str(error).splitlines()[0]}"
                ) from error
        return model

    def _compiled_for(self, batch: Tensor) -> tuple[Compiled, Prepare]:
        kind = batch.dtype, tuple(batch.shape[1:])
        with self._compiling:
            if kind not in self._compiled:
                model = self.converted(batch)
                rewritten = Rewritten(model) if self._rewrite is None else self._rewrite(model)
                self._compiled[kind] = (
                    Compiled(rewritten.model, self._way, self._threads, rewritten.options),
                    rewritten.prepare,
                )
                while len(self._compiled) > _MAX_COMPILED_SHAPES:
                    self._compiled.popitem(last=False)
                    give_back_memory()
            self._compiled.move_to_end(kind)
            return self._compiled[kind]
