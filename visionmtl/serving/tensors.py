"""Tensors in JSON as TensorFlow Serving's REST interface has them: requests in rows and in columns, and answers."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from visionmtl.serving.refusals import RequestError
from visionmtl.serving.runtimes.runtime import TYPES, Signature, Tensor

DEFAULT = "serving_default"
KEYS = ("signature_name", "instances", "inputs")
BINARY = "_bytes"  # what the name of an output ends with whose strings are no text
SHOWN = 60  # characters of a value in a sentence
DIGITS = 6  # of a number, unless it has more; `EXACT` tell any float32 from its neighbours
EXACT = 9


class Asked(NamedTuple):
    """A request: by rows or not, the signature's name, and its inputs."""

    by_rows: bool
    signature: str
    inputs: dict[str, np.ndarray]


def request(body: bytes, signatures: Mapping[str, Signature]) -> Asked:
    """Return what a body asks.

    Args:
        body: of a request.
        signatures: of the model.

    Raises:
        RequestError: it cannot be asked.
    """
    document = _parsed(body)
    name = document.get("signature_name", "") or DEFAULT
    if not isinstance(name, str):
        raise _malformed("'signature_name' key must be a string value.")
    if name not in signatures:
        known = ", ".join(sorted(signatures))
        raise _malformed(f'Serving signature name: "{_shown(name)}" not found in signature def; there are {known}')
    wanted = signatures[name].inputs
    if "instances" in document and "inputs" in document:
        raise _malformed("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    if "instances" in document:
        return Asked(True, name, _checked(_of_rows(document["instances"], wanted), wanted))
    if "inputs" in document:
        return Asked(False, name, _checked(_of_columns(document["inputs"], wanted), wanted))
    raise _malformed("Missing 'inputs' or 'instances' key")


def _parsed(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise _malformed("JSON Parse error: The document is empty")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else _reason(error)
        raise _malformed(f"JSON Parse error: {reason}") from None
    if not isinstance(document, dict):
        raise _malformed(f"JSON Value: {_shown(document)} Is not object")
    if strange := sorted(set(document) - set(KEYS)):
        raise _malformed(f"The key '{_shown(strange[0])}' is none of {', '.join(KEYS)}")
    return document


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at offset: {error.pos}"
    return "it is no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error).partition(":")[0]


def _of_rows(instances: Any, wanted: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return the inputs that stand in `instances`, a value or an object of all inputs for each row."""
    if not isinstance(instances, list):
        raise _malformed("Excepting 'instances' to be an list/array")
    if not instances:
        raise _malformed("No values in 'instances' array")
    objects = [isinstance(each, dict) and not _is_encoded(each) for each in instances]
    if not objects[0]:
        if len(wanted) > 1:
            raise _malformed(
                "instances is a plain list, but expecting list of objects as multiple input tensors required as per"
                f" tensorinfo_map: {', '.join(wanted)}"
            )
        if any(objects):
            raise _malformed(f"Expecting value/list but got object at item {objects.index(True)} of input list")
        name = next(iter(wanted))
        return {name: _array(instances, wanted[name], name)}
    for place, each in enumerate(instances):
        if not objects[place]:
            raise _malformed(f"Expecting object but got list at item {place} of input list")
        if set(each) != set(wanted):
            raise _malformed(
                f"Failed to process element: {place} of 'instances' list. JSON object: keys must be equal to:"
                f" {','.join(sorted(wanted))}"
            )
    return {name: _array([each[name] for each in instances], tensor, name) for name, tensor in wanted.items()}


def _of_columns(inputs: Any, wanted: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return the inputs that stand in `inputs`, an object of all or the only one itself."""
    if not isinstance(inputs, dict) or _is_encoded(inputs):
        if len(wanted) > 1:
            raise _malformed(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per"
                f" tensorinfo_map: {', '.join(wanted)}"
            )
        name = next(iter(wanted))
        return {name: _array(inputs, wanted[name], name)}
    for name in wanted:
        if name not in inputs:
            raise _malformed(f"Missing named input: {name} in 'inputs' object.")
    if strange := sorted(set(inputs) - set(wanted)):
        raise _malformed(f"There is no input '{_shown(strange[0])}' beside {', '.join(wanted)}.")
    return {name: _array(inputs[name], tensor, name) for name, tensor in wanted.items()}


def _array(value: Any, tensor: Tensor, name: str) -> np.ndarray:
    """Return nested lists as an array of the type that is wanted."""
    shape, place = [], value
    while isinstance(place, list):
        shape.append(len(place))
        place = place[0] if place else None
    if 0 in shape:
        raise _malformed(f"The input '{name}' has an empty list.")
    if tensor.type == "DT_STRING":
        return _strings(value, shape)
    kind = TYPES.get(tensor.type)
    if kind is None:
        raise _malformed(f"The input '{name}' is of type {tensor.type}, which JSON does not hold.")
    try:
        numbers = np.array(value)
    except (ValueError, OverflowError):
        raise _malformed(f"The input '{name}' has lists of different sizes: expected one size throughout.") from None
    known = {"b": "b", "i": "iu", "u": "iu", "f": "iuf"}[np.dtype(kind).kind]
    if numbers.dtype.kind not in known:
        raise _malformed(f"JSON Value: {_shown(value)} is not of expected type: {np.dtype(kind).name}")
    if np.dtype(kind).kind in "iu":
        bounds = np.iinfo(kind)
        if numbers.min() < bounds.min or numbers.max() > bounds.max:
            raise _malformed(f"The input '{name}' has values that are not of {bounds.min} to {bounds.max}.")
    with np.errstate(over="ignore"):
        return numbers.astype(kind)


def _strings(value: Any, shape: list[int]) -> np.ndarray:
    """Return nested lists of strings, or of bytes in base64, as an array of bytes."""
    flat, left = list[bytes](), [(value, 0)]
    while left:
        each, level = left.pop()
        if isinstance(each, list):
            if level >= len(shape) or len(each) != shape[level]:
                raise _malformed(f"Encountered list at unexpected size: {len(each)} at level: {level}")
            left.extend((inner, level + 1) for inner in reversed(each))
        elif level != len(shape):
            raise _malformed(f"JSON Value: {_shown(each)} found at incorrect level: {level + 1} in the JSON DOM.")
        else:
            flat.append(_string(each))
    strings = np.empty(len(flat), np.object_)
    strings[:] = flat
    return strings.reshape(shape)


def _string(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode(errors="replace")
    if isinstance(value, dict) and not _is_encoded(value):
        raise _malformed(f"JSON Value: {_shown(value)} not formatted correctly for base64 data")
    if not isinstance(value, dict):
        raise _malformed(f"JSON Value: {_shown(value)} is not of expected type: string")
    text = value["b64"]
    try:
        plain = text.translate({ord("-"): "+", ord("_"): "/"}) if "-" in text or "_" in text else text
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("Unable to base64 decode") from None


def _is_encoded(value: dict) -> bool:
    return len(value) == 1 and isinstance(value.get("b64"), str)


def _checked(inputs: dict[str, np.ndarray], wanted: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Return inputs that are of the shapes that are wanted, and have as many rows as each other."""
    for name, values in inputs.items():
        shape = wanted[name].shape
        fits = shape is None or (
            values.ndim == len(shape) and all(size in (-1, got) for size, got in zip(shape, values.shape, strict=True))
        )
        if not fits:
            raise _malformed(f"The input '{name}' has shape {list(values.shape)}: expected {list(shape or ())}.")
    counts = {name: len(values) for name, values in inputs.items() if values.ndim}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} of '{name}'" for name, count in counts.items())
        raise _malformed(f"The inputs have not as many rows as each other: {told}.")
    return inputs


def answer(outputs: Mapping[str, np.ndarray], by_rows: bool) -> bytes:
    """Return the body of an answer."""
    listed = {name: _listed(values, name) for name, values in outputs.items()}
    alone = next(iter(listed.values())) if len(listed) == 1 else None
    if not by_rows:
        return _json({"outputs": listed if alone is None else alone})
    objects = [dict(zip(listed, row, strict=True)) for row in zip(*listed.values(), strict=True)]
    return _json({"predictions": objects if alone is None else alone})


def _listed(values: np.ndarray, name: str) -> list:
    """Return an array as nested lists of what JSON has."""
    if values.dtype == np.object_:
        made = np.empty(values.shape, np.object_)
        for place, value in np.ndenumerate(values):
            binary = {"b64": base64.b64encode(str(value).encode()).decode()}
            made[place] = binary if name.endswith(BINARY) else str(value)
        return made.tolist()
    return short(values).tolist() if values.dtype.kind == "f" else values.tolist()


def short(values: np.ndarray) -> np.ndarray:
    """Return floats as float64 of few digits that are the same float32: 0.1 and not 0.10000000149011612."""
    if values.dtype == np.float64:
        return values
    wide = values.astype(np.float64)
    with np.errstate(all="ignore"):
        size = np.floor(np.log10(np.abs(wide)))
        size = np.where(np.isfinite(size), size, 0.0)

        def to(digits: int) -> np.ndarray:
            scale = 10.0 ** (digits - 1 - size)
            rounded = np.round(wide * scale) / scale
            return np.where(np.isfinite(rounded), rounded, wide)

        few = to(DIGITS)
        return np.where(few.astype(values.dtype) == values, few, to(EXACT))


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(", ", ": ")).encode()


def _malformed(sentence: str) -> RequestError:
    return RequestError(400, sentence)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)[: SHOWN + 1]
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
