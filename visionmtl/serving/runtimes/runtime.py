"""What every runtime is: which file it loads, which signatures that answers, and how a batch is run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from visionmtl.serving.limits import Limits

Arrays = Mapping[str, np.ndarray]
Labels = Mapping[str, Mapping[str, Any]]  # of `labels.json`, by task

TYPES: Mapping[str, Any] = {  # TensorFlow's names of types
    "DT_BOOL": np.bool_,
    "DT_INT8": np.int8,
    "DT_INT16": np.int16,
    "DT_INT32": np.int32,
    "DT_INT64": np.int64,
    "DT_UINT8": np.uint8,
    "DT_UINT16": np.uint16,
    "DT_UINT32": np.uint32,
    "DT_UINT64": np.uint64,
    "DT_HALF": np.float16,
    "DT_FLOAT": np.float32,
    "DT_DOUBLE": np.float64,
    "DT_STRING": np.object_,
}


@dataclass(frozen=True)
class Tensor:
    """An input or an output.

    Attributes:
        type: one of `TYPES`.
        shape: -1 for a size that may be any; None for any shape.
        name: within the graph; empty where it has none.
    """

    type: str
    shape: tuple[int, ...] | None
    name: str = ""


@dataclass(frozen=True)
class Signature:
    """What goes in and what comes out, by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    @property
    def most(self) -> int | None:
        """How many pictures it takes at a time: any number, which is None, one, or 0 where it is not told by rows."""
        given, made = (
            {each.shape[0] if each.shape else 0 for each in side.values()} for side in (self.inputs, self.outputs)
        )
        if given == {1}:
            return 1
        return None if given | made == {-1} else 0

    @property
    def maps(self) -> list[str]:
        """The names of the outputs that have a value for each pixel of the pictures, which may be of any size."""
        return [name for name, each in self.outputs.items() if each.shape and each.shape[1:3] == (-1, -1)]


@dataclass(frozen=True)
class Prepared:
    """The inputs of a request as a runtime takes them.

    Attributes:
        inputs: by name, a row for each picture.
        pixels: of the largest picture.
        faults: by row, why its picture is not read.
    """

    inputs: Arrays
    pixels: int = 0
    faults: Mapping[int, str] = field(default_factory=dict)


class Runtime:
    """A library that runs an exported model, chosen by its file's name.

    The first line of a subclass's docstring says what it is.

    Args:
        file: one of `files` in the folder of a version.
        labels: what its `labels.json` says.

    Attributes:
        rank: which comes first where a version has files of several, lower ones.
        files: the names in a version of what it loads, by precision; the first that is there, where none is asked for.
        extra: of visionmtl that brings what it needs; "" for none.
        needs: the modules that it imports.
        signatures: by name. All have `serving_default`, of `images` uint8 `[B, H, W, 3]`, and `serving_bytes`, of
            `encoded` pictures `[B]`, with `errors` `[B]`; and, where tasks find objects, those and `confidence` `[B]`
            as `serving_default_confidence` and `serving_bytes_confidence`.
    """

    rank: ClassVar[int] = 100
    files: ClassVar[Mapping[str, str]]
    extra: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()
    signatures: Mapping[str, Signature]

    def __init__(self, file: Path, labels: Labels):
        raise NotImplementedError

    @classmethod
    def missing(cls) -> str | None:
        """Return a module that it needs and that is not installed; None where all are."""
        return next((module for module in cls.needs if find_spec(module) is None), None)

    def prepare(self, inputs: Arrays, limits: Limits) -> Prepared:
        """Return the inputs of a request as `run` takes them; many threads do so at once.

        Pictures are looked at, and refused by `limits`, before they are decoded.

        Args:
            inputs: of a signature, by name; encoded pictures are `bytes`.
            limits: of this server.
        """
        raise NotImplementedError

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        """Return the outputs for a batch; strings are `str`.

        Args:
            signature: its name.
            inputs: of `prepare`, perhaps of several requests one after the other.
        """
        raise NotImplementedError
