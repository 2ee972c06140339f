"""LiteRT models joined end to end into one: what a part gives is what a later part takes, under the same name."""

import copy
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from visionmtl.errors import UsageError

IDENTIFIER = b"TFL3"  # of the files
VERSION = 3  # of their schema
ALIGNMENT = 16  # bytes, of the values of tensors, as the schema wants it
NONE = -1  # an operation's input that is left out

Signatures = Mapping[str, Mapping[str, np.ndarray]]  # by name, what is a constant of it and no input


def joined(parts: Sequence[bytes], signatures: Signatures) -> bytes:
    """Return a LiteRT model that runs parts one after another, each as it was converted, once for each signature.

    A part may be quantised while its neighbours compute in float: nothing of it is changed. The signatures share all
    weights.

    Args:
        parts: LiteRT models of one signature; the inputs that none before it gives are those of the whole, and the
            outputs of the last are the whole's.
        signatures: by name; the first is what runs where none is named.

    Raises:
        UsageError: a part holds a loop or a condition.
    """
    from ai_edge_litert import schema_py_generated as schema

    models = [_read(part, schema) for part in parts]
    whole = schema.ModelT(VERSION, [], [], "", [schema.BufferT()], signatureDefs=[])
    places = [_Place(model, whole) for model in models]
    for name, constants in signatures.items():
        whole.signatureDefs.append(_Joining(whole, schema).add(name, places, constants))
    return _written(whole)


def _read(part: bytes, schema: Any) -> Any:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(part, 0))
    if len(model.subgraphs) != 1:
        raise UsageError(
            "The model cannot be written for LiteRT, since a task decodes by a loop or a condition: let it decode"
            " without, or export another format."
        )
    return model


class _Place:
    """Where operation codes and buffers of a part are in the whole.

    Args:
        model: the part.
        whole: the model that gets them.
    """

    def __init__(self, model: Any, whole: Any):
        self.graph, self.signature = model.subgraphs[0], model.signatureDefs[0]
        self.first_code = len(whole.operatorCodes)
        whole.operatorCodes += model.operatorCodes
        self.buffers = [0] * len(model.buffers)  # the first is that of all that has no value yet
        for number, buffer in enumerate(model.buffers):
            if buffer.data is not None and len(buffer.data):
                self.buffers[number] = len(whole.buffers)
                whole.buffers.append(buffer)


class _Joining:
    """Parts being joined into one graph of the whole."""

    def __init__(self, whole: Any, schema: Any):
        self.whole, self.schema = whole, schema
        self.graph = schema.SubGraphT([], [], [], [])
        self.named: dict[str, int] = {}  # the tensors that have a name, by it

    def add(self, name: str, places: Sequence[_Place], constants: Mapping[str, np.ndarray]) -> Any:
        """Add a graph to the whole and return its signature."""
        self.graph.name, number = name.encode(), len(self.whole.subgraphs)
        self.whole.subgraphs.append(self.graph)
        taken: dict[str, int] = {}
        for place in places:
            taken |= self._append(place, constants)
        given = {_text(each.name): self.named[_text(each.name)] for each in places[-1].signature.outputs}
        self.graph.inputs, self.graph.outputs = list(taken.values()), list(given.values())
        return self.schema.SignatureDefT(self._map(taken), self._map(given), name.encode(), number)

    def _append(self, place: _Place, constants: Mapping[str, np.ndarray]) -> dict[str, int]:
        """Add a part, and return which of its inputs are those of the whole."""
        taken, at = {}, {}
        for each in place.signature.inputs:
            name = _text(each.name)
            if name in self.named:
                at[each.tensorIndex] = self.named[name]
                continue
            at[each.tensorIndex] = self._tensor(place, each.tensorIndex)
            if name in constants:
                self._fix(at[each.tensorIndex], constants[name])
            else:
                taken[name] = self.named[name] = at[each.tensorIndex]
        for number in range(len(place.graph.tensors)):
            if number not in at:
                at[number] = self._tensor(place, number)
        at[NONE] = NONE
        for operation in place.graph.operators:
            moved = copy.copy(operation)
            moved.opcodeIndex += place.first_code
            moved.inputs, moved.outputs = ([at[int(each)] for each in of] for of in (moved.inputs, moved.outputs))
            self.graph.operators.append(moved)
        self.named |= {_text(each.name): at[each.tensorIndex] for each in place.signature.outputs}
        return taken

    def _tensor(self, place: _Place, number: int) -> int:
        """Add a tensor of a part, and return where it is."""
        tensor = copy.copy(place.graph.tensors[number])
        tensor.buffer = place.buffers[tensor.buffer]
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _fix(self, number: int, value: np.ndarray) -> None:
        """Make a tensor a constant."""
        self.graph.tensors[number].buffer = len(self.whole.buffers)
        self.whole.buffers.append(self.schema.BufferT(np.frombuffer(value.tobytes(), np.uint8)))

    def _map(self, tensors: Mapping[str, int]) -> list[Any]:
        return [self.schema.TensorMapT(name.encode(), number) for name, number in tensors.items()]


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _written(model: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    for buffer in model.buffers[1:]:
        buffer.Pack = functools.partial(_pack, buffer)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _pack(buffer: Any, builder: Any) -> Any:
    """Write a buffer where its values are aligned: what is generated of the schema does not see to it."""
    builder.Prep(ALIGNMENT, len(buffer.data))
    return type(buffer).Pack(buffer, builder)
