"""The claims of a file of weights about its content, checked before memory is asked for.

A file of a few kilobytes can unpack to gigabytes, or claim a layer of 10**8 classes. Nothing of it is executed and no
tensor is made here: the archive's table of contents, the header, and the pickle's own statements are read.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final, NamedTuple

from recognizer.errors import CheckpointError
from recognizer.files import size_text
from recognizer.limits import exceeded, limits

_MOST_STRUCTURE_BYTES: Final = 16 * 10**6
"""Names and shapes of the largest network here take 0.2 MB; optimizers' states multiply that."""

_SAFETENSORS_LENGTH_BYTES: Final = 8
_LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
"""First pickle of torch.save's format before 1.6 (torch/serialization.py: MAGIC_NUMBER)."""

_LEGACY_PICKLES: Final = 3
"""Protocol, machine and content follow the first."""

_ITEM_BYTES: Final = {
    "ComplexDouble": 16,
    **dict.fromkeys(("Double", "Long", "ComplexFloat"), 8),
    **dict.fromkeys(("Float", "Int", "QInt32"), 4),
    **dict.fromkeys(("Half", "BFloat16", "Short"), 2),
}
"""Bytes of a value by the name of its storage; all others have one."""

SAVE_STATE_DICT: Final = "save the weights alone with torch.save(model.state_dict(), FILE)"


class NotAPickleError(Exception):
    """The statements of a pickle contradict each other, or are not those of weights."""


class NamedError(NotAPickleError):
    """A pickle names something that is no part of weights.

    Attributes:
        name: what it names.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _StorageType(NamedTuple):
    item_bytes: int


class _Storage(NamedTuple):
    key: str
    size_bytes: int
    item_bytes: int


class _Inert:
    """Stands for a part of a file that holds no weights; takes whatever the pickle gives it."""

    def __call__(self, *_: object) -> _Inert:
        return self

    def __setstate__(self, _: object) -> None:
        return

    def __hash__(self) -> int:
        return 0


def check_size(path: Path) -> None:
    """Refuse a file that is larger than any checkpoint may be.

    Raises:
        LimitError: it is.
        OSError: it cannot be read.
    """
    size_bytes = path.stat().st_size
    if size_bytes > limits().max_checkpoint_bytes:
        raise exceeded(
            "max_checkpoint_bytes",
            f"checkpoint '{path}' has {size_text(size_bytes)}",
            "save the weights alone, without an optimizer's state",
        )


def check_safetensors(path: Path) -> None:
    """Refuse a header that claims to be longer than any header is.

    Raises:
        CheckpointError: it does.
        ValueError, OSError: the header cannot be read.
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_SAFETENSORS_LENGTH_BYTES), "little")
        if length > min(_MOST_STRUCTURE_BYTES, path.stat().st_size):
            raise CheckpointError(
                f"checkpoint '{path}' claims a header of {size_text(length)}; copy or download it again."
            )
        json.loads(file.read(length))


def check_torch_archive(path: Path) -> None:
    """Refuse an archive that unpacks to more than it is, and tensors that are larger than their values.

    Raises:
        CheckpointError: one of them is.
        NotAPickleError, OSError, ValueError, zipfile.BadZipFile: the archive cannot be read.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if any(member.filename.endswith("/constants.pkl") for member in members):
            raise CheckpointError(f"checkpoint '{path}' is a TorchScript program; {SAVE_STATE_DICT}.")
        unpacked_bytes = sum(member.file_size for member in members)
        if unpacked_bytes > path.stat().st_size:
            unpacked = size_text(unpacked_bytes)
            raise CheckpointError(
                f"checkpoint '{path}' unpacks to {unpacked}, more than the file has; {SAVE_STATE_DICT}."
            )
        sizes_bytes = {member.filename.partition("/")[2]: member.file_size for member in members}
        content = next((one for one in members if one.filename.partition("/")[2] == "data.pkl"), None)
        if content is None:
            raise NotAPickleError("no data.pkl")
        _check_structure(path, content.file_size)
        claims = _Claims(path, io.BytesIO(archive.read(content)), lambda key: sizes_bytes.get(f"data/{key}", 0))
        claims.load()


def check_torch_legacy(path: Path) -> None:
    """Refuse tensors that are larger than the file, in torch.save's format before 1.6.

    Raises:
        CheckpointError: they are.
        NotAPickleError, OSError: the file cannot be read.
    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = io.BytesIO(file.read(_MOST_STRUCTURE_BYTES))
    claims = _Claims(path, start)
    if claims.load() != _LEGACY_MAGIC:
        return
    for _ in range(_LEGACY_PICKLES):
        claims = _Claims(path, start)
        claims.load()
    if claims.storage_bytes > size_bytes:
        raise CheckpointError(
            f"checkpoint '{path}' claims {size_text(claims.storage_bytes)} of weights, more than the file has, "
            f"or is damaged; copy it again or {SAVE_STATE_DICT}."
        )


def _check_structure(path: Path, size_bytes: int) -> None:
    if size_bytes > _MOST_STRUCTURE_BYTES:
        raise CheckpointError(
            f"checkpoint '{path}' has {size_text(size_bytes)} besides its weights; {SAVE_STATE_DICT}."
        )


class _Claims(pickle._Unpickler):  # the C version cannot leave out an opcode
    """Reads a pickle of tensors without making any; checks each one's shape against its values."""

    # reserves as many bytes as the file says
    dispatch: ClassVar[dict[int, Any]] = {
        code: load for code, load in pickle._Unpickler.dispatch.items() if code != pickle.BYTEARRAY8[0]
    }

    def __init__(self, path: Path, file: BinaryIO, stored_bytes: Callable[[str], int] | None = None) -> None:
        super().__init__(file, encoding="utf-8")
        self._path = path
        self._stored_bytes = stored_bytes
        self._storages: dict[str, int] = {}

    @property
    def storage_bytes(self) -> int:
        """Size of all storages that the pickle names, each counted once."""
        return sum(self._storages.values())

    def load(self) -> Any:
        """Read one pickle.

        Raises:
            CheckpointError: a tensor is larger than its values.
            NotAPickleError: it is malformed, or names what is no part of weights.
        """
        try:
            return super().load()
        except (CheckpointError, NotAPickleError):
            raise
        except Exception as error:  # a malformed pickle can raise anything
            raise NotAPickleError(str(error)) from error

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name."""
        if f"{module}.{name}" in _PLAIN:
            return _PLAIN[f"{module}.{name}"]
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_qtensor"):
            return self._tensor
        if module.partition(".")[0] == "torch" and name.endswith("Storage"):
            return _StorageType(_ITEM_BYTES.get(name.removesuffix("Storage"), 1))
        if (module == "torch" and name.islower()) or (module == "torch._utils" and name in _WITHOUT_MEMORY):
            return _Inert()  # dtypes, schemes of quantization; and tensors in special formats, which are refused later
        raise NamedError(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        """Return what stands for a storage."""
        kind, storage_type, key, _, count, *_ = pid
        if kind != "storage" or not isinstance(storage_type, _StorageType) or not isinstance(count, int):
            raise NotAPickleError("a storage of another kind")
        size_bytes = count * storage_type.item_bytes if self._stored_bytes is None else self._stored_bytes(str(key))
        self._storages[str(key)] = max(size_bytes, self._storages.get(str(key), 0))
        return _Storage(str(key), size_bytes, storage_type.item_bytes)

    def _tensor(self, storage: Any, _offset: int, shape: tuple[int, ...], *_: object) -> _Inert:
        if not isinstance(storage, _Storage):
            return _Inert()
        claimed_bytes = math.prod(shape) * storage.item_bytes
        if claimed_bytes > max(storage.size_bytes, 0):
            sides = " x ".join(map(str, shape))
            raise CheckpointError(
                f"checkpoint '{self._path}' claims a tensor of {sides}, {size_text(claimed_bytes)}, but holds "
                f"{size_text(storage.size_bytes)} for it; {SAVE_STATE_DICT}."
            )
        return _Inert()


def _first(first: object, *_: object) -> object:
    return first


def _called(function: Callable[..., object], _kind: object, arguments: tuple[object, ...], *_: object) -> object:
    return function(*arguments)


_WITHOUT_MEMORY: Final = {
    "_rebuild_sparse_tensor",
    "_rebuild_sparse_csr_tensor",
    "_rebuild_nested_tensor",
    "_rebuild_meta_tensor_no_storage",
}

_PLAIN: Final[dict[str, Any]] = {
    "collections.OrderedDict": OrderedDict,
    "collections.Counter": Counter,
    "builtins.set": set,
    "__builtin__.set": set,
    "builtins.complex": _Inert(),
    "_codecs.encode": _first,
    "torch.Size": tuple,
    "torch.device": _Inert(),
    "torch.Tensor": _StorageType(0),  # only named as a kind; cannot be made
    "torch.nn.parameter.Parameter": _first,
    "torch.serialization._get_layout": _Inert(),
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._tensor._rebuild_from_type_v2": _called,
}
"""What weights may name, and what stands for it."""
