"""Weights in torch's old file format, read without torch."""

import io
import pickle
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from visionmtl.errors import UsageError

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _StateUnpickler(pickle.Unpickler):
    """Unpickles names, shapes and storage keys; any other class or function in the file is refused."""

    def __init__(self, file: BinaryIO):
        super().__init__(file)
        self.storages: dict[str, np.ndarray] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *description: description[:4]
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> str:
        _, dtype, key, _, size, _ = pid
        self.storages.setdefault(key, np.empty(size, dtype))
        return key


def read_pth(path: str | Path) -> dict[str, np.ndarray]:
    """Return the tensors by name of a state dictionary that torch before 1.6 saved (the format that is not a zip).

    The file is four pickles (magic, protocol, system, tensors as storage key, offset, size and stride), the list of
    storage keys, and each storage as int64 length and raw data. Only that is unpickled: no code of the file runs.

    Raises:
        UsageError: the file is not of this format, cut short, or holds anything but tensors.
    """
    try:
        with open(path, "rb") as file:
            if _StateUnpickler(file).load() != _MAGIC:
                raise pickle.UnpicklingError("its magic number is another")
            for _ in range(2):
                _StateUnpickler(file).load()
            state = _StateUnpickler(file)
            tensors = state.load()
            for key in _StateUnpickler(file).load():
                storage = state.storages[key]
                file.seek(8, io.SEEK_CUR)
                if file.readinto(storage.data) != storage.nbytes:
                    raise EOFError("it ends early")
        return {name: _view(state.storages[key], *where) for name, (key, *where) in tensors.items()}
    except (pickle.UnpicklingError, EOFError, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: not a torch weights file of the old format: {error}.") from None


def _view(storage: np.ndarray, offset: int, size: Sequence[int], stride: Sequence[int]) -> np.ndarray:
    """The tensor in a storage; NumPy refuses one that reaches outside."""
    step = storage.itemsize
    return np.ndarray(size, storage.dtype, storage, offset * step, [step * elements for elements in stride])
