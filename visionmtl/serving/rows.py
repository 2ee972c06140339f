"""Answers in rows, one for each picture: parted and joined, so that none tells of its neighbours in a batch.

A batch's maps are as large as its largest picture: a part of them is cut to the largest of its own, as if it had come
alone, and what is joined is padded.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

Arrays = Mapping[str, np.ndarray]
SIZES, ERRORS = "image_sizes", "errors"
IGNORED, NOWHERE = 255, 0  # what stands beyond a picture in a map of classes, or of quantities


def count(inputs: Arrays) -> int:
    """Return how many rows there are."""
    return len(next(iter(inputs.values())))


def part(outputs: Arrays, first: int, last: int, maps: Collection[str]) -> dict[str, np.ndarray]:
    """Return the rows from `first` up to `last`, with maps as large as their largest picture.

    Args:
        outputs: of a batch.
        first: row.
        last: row behind the last.
        maps: the names of those that have a value for each pixel of the pictures.
    """
    parted = {name: values[first:last] for name, values in outputs.items()}
    if maps and SIZES in parted:
        height, width = parted[SIZES].max(axis=0)
        parted |= {name: parted[name][:, :height, :width] for name in maps}
    return parted


def joined(parts: Sequence[Arrays], maps: Collection[str]) -> dict[str, np.ndarray]:
    """Return the rows of several answers as one, their maps padded to the largest."""
    if len(parts) == 1:
        return dict(parts[0])
    result = {}
    for name in parts[0]:
        arrays = [each[name] for each in parts]
        if name in maps:
            height, width = np.max([each.shape[1:3] for each in arrays], axis=0)
            arrays = [_padded(each, height, width) for each in arrays]
        result[name] = np.concatenate(arrays)
    return result


def _padded(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return maps `[B, h, w, ...]` amid what stands for no pixel."""
    nothing = IGNORED if np.issubdtype(values.dtype, np.integer) else NOWHERE
    room = [(0, 0), (0, height - values.shape[1]), (0, width - values.shape[2]), *[(0, 0)] * (values.ndim - 3)]
    return np.pad(values, room, constant_values=nothing)
