"""A frame as it is to be shown: turned and mirrored by the matrix that cameras leave in a film."""

import numpy as np

ONE = 1 << 16  # in the matrix's fixed point


def signs(matrix: bytes) -> tuple[int, int, int, int] | None:
    """Return a, b, c and d of a display matrix, each -1, 0 or 1: a point (x, y) is shown at (ax + cy, bx + dy).

    Args:
        matrix: nine 32-bit integers as FFmpeg keeps them; the first four that matter are of 16.16 fixed point.

    Returns:
        None where it turns by no multiple of 90 degrees, or is none.
    """
    values = np.frombuffer(matrix, np.int32)
    if len(values) != 9:
        return None
    a, b, c, d = (int(value) for value in np.round(values[[0, 1, 3, 4]] / ONE, 1))
    return (
        (a, b, c, d) if sorted((abs(a), abs(b), abs(c), abs(d))) == [0, 0, 1, 1] and abs(a * d - b * c) == 1 else None
    )


def upright(pixels: np.ndarray, way: tuple[int, int, int, int]) -> np.ndarray:
    """Return pixels `[h, w, 3]` as they are shown, `[w, h, 3]` where they lie on their side.

    Args:
        pixels: as they are stored.
        way: from `signs`.

    Example:
        >>> upright(np.array([[[1], [2]]]), (0, 1, -1, 0)).tolist()
        [[[1]], [[2]]]
    """
    a, b, c, d = way
    if b:  # x and y change places: a point is shown at (cy, bx)
        pixels, a, d = pixels.swapaxes(0, 1), c, b
    return np.ascontiguousarray(pixels[:: d or 1, :: a or 1])
