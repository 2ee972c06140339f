"""Answers in rows, one for each picture: parted and joined, so that none tells of its neighbours in a batch.

A batch's maps are as large as its largest picture: a part of them is cut to the largest of its own, as if it had come
alone, and what is joined is padded.
"""

from collections.abc import Mapping, Sequence

import numpy as np

Arrays = Mapping[str, np.ndarray]
SIZES, ERRORS = "image_sizes", "errors"
IGNORED, NOWHERE = 255, 0  # what stands beyond a picture in a map of classes, or of quantities


def count(inputs: Arrays) -> int:
    """Return how many rows there are."""
    return len(next(iter(inputs.values())))


def part(outputs: Arrays, first: int, last: int) -> dict[str, np.ndarray]:
    """Return the rows from `first` up to `last`, with maps as large as their largest picture."""
    parted = {name: values[first:last] for name, values in outputs.items()}
    sizes = outputs.get(SIZES)
    if sizes is None or not len(sizes):
        return parted
    height, width = parted[SIZES].max(axis=0)
    for name in maps(outputs):
        parted[name] = parted[name][:, :height, :width]
    return parted


def joined(parts: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Return the rows of several answers as one, their maps padded to the largest."""
    if len(parts) == 1:
        return dict(parts[0])
    which = set().union(*map(maps, parts)) if SIZES in parts[0] else set()
    largest = np.max([each[name].shape[1:3] for each in parts for name in which], axis=0) if which else (0, 0)
    result = {}
    for name in parts[0]:
        arrays = [each[name] for each in parts]
        if name in which:
            arrays = [_padded(each, *largest) for each in arrays]
        result[name] = np.concatenate(arrays)
    return result


def maps(outputs: Arrays) -> list[str]:
    """Return the names of the outputs that have a value for each pixel of the pictures, by their shape."""
    largest = tuple(outputs[SIZES].max(axis=0).tolist())
    return [
        name
        for name, values in outputs.items()
        if values.ndim >= 3 and values.shape[1:3] == largest and not name.endswith("_boxes")
    ]


def _padded(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return maps `[B, h, w, ...]` amid what stands for no pixel."""
    nothing = IGNORED if np.issubdtype(values.dtype, np.integer) else NOWHERE
    room = [(0, 0), (0, height - values.shape[1]), (0, width - values.shape[2]), *[(0, 0)] * (values.ndim - 3)]
    return np.pad(values, room, constant_values=nothing)
