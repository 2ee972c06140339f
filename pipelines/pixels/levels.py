"""From the numbers of a picture of any type to 8 bits a channel, by what its type says, or not at all.

| numbers | black to white |
|---|---|
| 1 or 8 bits, palettes, CMYK, YCbCr, LAB | as Pillow converts them; alpha is left out |
| unsigned 16 bits, or 12, one channel or more | the whole range of the type |
| float, signed or 32 bits | 0 to 1 if all are (float), else 0 to 255 if all are, else an error: no white is known |

`levels` says what is black and white in pictures of one channel of more than 8 bits, in place of the above.
"""

import numpy as np
from PIL import Image

from pipelines.errors import DataError
from pipelines.pixels.rules import Levels

WIDE = ("I", "F")  # modes of Pillow with more than 8 bits a channel begin so
BITS, PHOTOMETRIC, FORMAT = 258, 262, 339  # tags of TIFF: bits a channel; whether white is 0; the type of numbers
REMEDY = "the option levels says which values are black and white, as [0, 4095]"


def is_wide(picture: Image.Image) -> bool:
    """Whether a picture has one channel of more than 8 bits."""
    return picture.mode.startswith(WIDE)


def raw_mode(picture: Image.Image) -> str:
    """Return how the pixels lie in the file, as Pillow calls it; empty where the format has no such thing."""
    found = arguments(picture)
    return found[0] if found and isinstance(found[0], str) else ""


def arguments(picture: Image.Image) -> tuple:
    """Return what Pillow tells the decoder of a picture that was opened and not yet read; empty where it is nothing."""
    tile = getattr(picture, "tile", None)
    return _tuple(tile[0][3]) if tile else ()


def rgb(picture: Image.Image, name: str, levels: Levels | None = None) -> np.ndarray:
    """Return the pixels of a picture in red, green and blue: uint8 `[h, w, 3]`.

    Args:
        picture: of any mode.
        name: of its file, for errors.
        levels: the values that are black and white, where the picture has one channel of more than 8 bits.

    Raises:
        DataError: nothing says what is white, or all would be black.
    """
    if not is_wide(picture) and not _is_signed(picture):
        straight = {"La": "LA", "RGBa": "RGBA"}.get(picture.mode)  # colours that were multiplied by their alpha
        return np.asarray((picture.convert(straight) if straight else picture).convert("RGB"))
    inverted = picture.format == "TIFF" and picture.tag_v2.get(PHOTOMETRIC) == 0  # type: ignore[attr-defined]
    white = _white(picture)
    values = numbers(picture)
    shades: np.ndarray
    if levels is not None:
        shades = (values.astype(np.float64) - levels[0]) * (255.0 / (levels[1] - levels[0]))
    elif white:
        shades = values.astype(np.int64) * 256 // (white + 1)  # the upper 8 bits
        if values.any() and not shades.any():
            raise DataError(
                f"Image '{name}' has no value above {values.max()} of {white:,}, and would be black: {REMEDY}."
            )
    else:
        shades = _guarded(values, name)
    grey = np.clip(np.rint(shades), 0, 255).astype(np.uint8)
    return np.repeat((255 - grey if inverted else grey)[..., None], 3, axis=2)


def check_planes(picture: Image.Image) -> None:
    """Refuse a TIFF whose channels lie one after the other at 16 bits, which Pillow reads as if they had 8.

    Raises:
        ValueError: it is one.
    """
    bits = picture.tag_v2.get(BITS, 1)  # type: ignore[attr-defined]
    if raw_mode(picture) == "R" and max(_tuple(bits)) > 8:
        raise ValueError("it is a TIFF of 16 bits whose channels lie apart, which is not read: save it as PNG")


def numbers(picture: Image.Image) -> np.ndarray:
    """Return the numbers of a picture of one channel as they are in the file, `[h, w]` of their own type."""
    raw, values = raw_mode(picture), np.asarray(picture)
    if raw == "I;32N" and picture.format == "TIFF":
        return values.view(np.uint32)  # which Pillow has no mode for
    return values.view(np.int8) if _is_signed(picture) else values


def _is_signed(picture: Image.Image) -> bool:
    """Whether a picture holds 8 bits with a sign, which Pillow takes for those without."""
    return (
        picture.format == "TIFF" and picture.mode == "L" and 2 in _tuple(picture.tag_v2.get(FORMAT))  # type: ignore[attr-defined]
    )


def _tuple(value: object) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def _white(picture: Image.Image) -> int:
    """The highest value of the type of a picture, if that is what white is; 0 if nothing says so."""
    if picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format in ("PPM", "PNG")):
        return 4095 if raw_mode(picture) == "I;12" else 65535  # Pillow takes portable grey maps to 16 bits
    return 0


def _guarded(values: np.ndarray, name: str) -> np.ndarray:
    """Scale numbers to 0..255 by the range that they keep to."""
    low, high = values.min(), values.max()
    fractions = values.dtype.kind == "f"
    if not np.isfinite([low, high]).all():
        raise DataError(f"Image '{name}' has values that are not finite.")
    if low >= 0 and fractions and high <= 1:
        return values.astype(np.float64) * 255.0
    if low >= 0 and high <= 255:
        return values.astype(np.float64)
    ranges = "0 to 1 or 0 to 255" if fractions else "0 to 255"
    raise DataError(
        f"Image '{name}' has {values.dtype} values from {low:g} to {high:g}, and nothing says which is white: expected "
        f"{ranges}; {REMEDY}."
    )
