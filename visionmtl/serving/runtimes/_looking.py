"""How large the pictures of a request are, seen before any is decoded."""

import re
from typing import Literal

import numpy as np

from pipelines.pixels import contents
from visionmtl.serving.limits import Limits
from visionmtl.serving.refusals import RequestError
from visionmtl.serving.runtimes.runtime import Arrays, Prepared

DAMAGED = "The picture cannot be decoded: it is truncated or damaged, or has too many pixels."  # as exports say it
MOST = 4096  # parts of a header that are walked through: more would be meant to take long
FILLED = re.compile(rb"\xff+")  # before the kind of a part
ENCODED, IMAGES, CONFIDENCE, ERRORS = "encoded", "images", "confidence", "errors"


def too_large(limits: Limits) -> str:
    """Return the sentence for a picture of too many pixels."""
    return f"The picture has more than {limits.pixels:,} pixels, the limit: make it smaller."


def looked_at(inputs: Arrays, limits: Limits) -> Prepared:
    """Return inputs whose encoded pictures of too many pixels are empty, with why."""
    if ENCODED not in inputs:
        return Prepared(inputs, pixels_of(inputs, limits))
    largest, faults, kept = 0, dict[int, str](), np.array(inputs[ENCODED], np.object_)
    for row, content in enumerate(inputs[ENCODED]):
        pixels = count(content)
        if pixels is None or pixels > limits.pixels:
            kept[row], faults[row] = b"", DAMAGED if pixels is None else too_large(limits)
        else:
            largest = max(largest, pixels)
    return Prepared({**inputs, ENCODED: kept}, largest, faults)


def pixels_of(inputs: Arrays, limits: Limits) -> int:
    """Return how many pixels a picture of a batch has that is given decoded.

    Raises:
        RequestError: too many.
    """
    shape = inputs[IMAGES].shape if IMAGES in inputs else ()
    pixels = shape[1] * shape[2] if len(shape) == 4 else 0
    if pixels > limits.pixels:
        raise RequestError(413, too_large(limits))
    return pixels


def count(content: bytes) -> int | None:
    """Return how many pixels a decoder would make room for, by the header of a picture.

    Returns:
        0 for what is none of the kinds that an export decodes; None where the header does not tell.
    """
    if content[:8] == b"\x89PNG\r\n\x1a\n":
        return _number(content, 16, 4) * _number(content, 20, 4)
    if content[:2] == b"BM":
        height = int.from_bytes(content[22:26], "little", signed=True)  # below 0 where the first row is on top
        return _number(content, 18, 4, "little") * abs(height) if _number(content, 14, 4, "little") >= 40 else 0
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    if content[:2] == b"\xff\xd8":
        return _jpeg(content)
    return 0


def _jpeg(content: bytes) -> int | None:
    """Return the pixels of the largest frame before the first scan; None where there is none."""
    largest, place = None, 2
    for _ in range(MOST):
        if (filled := FILLED.match(content, place)) is None:
            break
        kind = content[filled.end()] if filled.end() < len(content) else 0
        start = filled.end() + 1
        if kind in (contents.SCAN, contents.END):
            break
        if kind in contents.FRAMES:
            largest = max(largest or 0, _number(content, start + 3, 2) * _number(content, start + 5, 2))
        place = start if kind in contents.ALONE else start + _number(content, start, 2)
    return largest


def _webp(content: bytes) -> int:
    if content[12:16] == b"VP8X":
        return (_number(content, 24, 3, "little") + 1) * (_number(content, 27, 3, "little") + 1)
    if content[12:16] == b"VP8L":
        bits = _number(content, 21, 4, "little")
        return ((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1)
    return (_number(content, 26, 2, "little") & 0x3FFF) * (_number(content, 28, 2, "little") & 0x3FFF)


def _number(content: bytes, place: int, length: int, order: Literal["big", "little"] = "big") -> int:
    return int.from_bytes(content[place : place + length], order)
