"""What may be asked to be done with pictures: how files are read, ways to resize, the range of each augmentation.

Recipes are checked by the same rules, without TensorFlow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, cast, get_args

from pipelines.ranges import Range

Resize = Literal["stretch", "letterbox"]
RESIZES: tuple[str, ...] = get_args(Resize)

Exif = Literal["auto", "upright", "stored"]
EXIF: tuple[str, ...] = get_args(Exif)
Levels = tuple[float, float]

SUFFIXES = frozenset(  # of pictures; of those that are not read too, so that they are told and not passed over
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".jp2", ".jxl", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
        *(".ppm", ".pgm", ".pnm", ".avif", ".heic", ".heif"),
    }
)

PROBABILITY = Range(0.0, 1.0, "true, false or a probability from 0 to 1")
ZOOM = Range(0.05, 20.0, "[low, high] within 0.05 to 20, as [0.75, 1.5]")
DEGREES = Range(0.0, 180.0, "degrees from 0 to 180")
COLOUR = Range(0.0, 0.9, "a number from 0 to 0.9")
CHANCE = Range(0.0, 1.0, "a probability from 0 to 1")
VISIBLE = Range(0.0, 1.0, "a fraction from 0 to 1")
Leftovers = Literal["drop", "ignore"]


@dataclass(frozen=True)
class Reading:
    """How picture files are to be read.

    Args:
        max_pixels: of one picture; None for Pillow's own limit.
        levels: the values that are black and white in pictures of one channel of more than 8 bits; None for what their
            type says.
        exif: whether labels were drawn on pictures turned "upright" by their EXIF orientation, or as "stored"; "auto"
            goes by what sizes, boxes and masks say.
    """

    max_pixels: int | None = None
    levels: Levels | None = None
    exif: str = "auto"


def max_pixels(value: Any) -> int | None:
    """Return the most pixels that a picture may have, or None. A ValueError says what was expected."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():  # as 1e9
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a whole number above 0, or null")
    return value


def levels(value: Any) -> Levels | None:
    """Return the values that are black and white, or None. A ValueError says what was expected."""
    if value is None:
        return None
    numbers = isinstance(value, list | tuple) and all(
        isinstance(each, int | float) and not isinstance(each, bool) and isfinite(each) for each in value
    )
    if not numbers or len(value) != 2 or value[0] == value[1]:
        raise ValueError("two numbers, [black, white], or null")
    return float(value[0]), float(value[1])


def flip(value: Any) -> float:
    """Return the probability of a mirrored picture; True is 0.5. A ValueError says what was expected."""
    return 0.5 * value if isinstance(value, bool) else PROBABILITY(value)


def scale(value: Any) -> tuple[float, float] | None:
    """Return the lowest and the highest zoom, or None for none. A ValueError says what was expected."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(side in ZOOM for side in value):
        raise ValueError(ZOOM.expected)
    low, high = map(float, value)
    if low > high:
        raise ValueError(ZOOM.expected)
    return low, high


def leftovers(value: Any) -> Leftovers:
    """Return what is done with what is left of an object. A ValueError says what was expected."""
    if value not in get_args(Leftovers):
        raise ValueError("drop or ignore")
    return cast("Leftovers", value)


def until(value: Any) -> int | None:
    """Return a number of epochs, or None for all. A ValueError says what was expected."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a whole number of epochs above 0, or null")
    return value


# By the key of an augmentation: returns what a value stands for; a ValueError says what was expected.
AUGMENTATIONS: Mapping[str, Callable[[Any], Any]] = {
    "flip": flip,
    "scale": scale,
    "rotate": DEGREES,
    "half_turn": CHANCE,
    "colour": COLOUR,
    "hue": DEGREES,
    "tint": COLOUR,
    "mosaic": CHANCE,
    "copy_paste": CHANCE,
    "cut_mix": CHANCE,
    "erase": CHANCE,
    "until": until,
    "visible": VISIBLE,
    "leftovers": leftovers,
}
