"""What may be asked to be done with pictures: the ways to resize them, and the range of each augmentation.

Recipes are checked by the same rules, without TensorFlow.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from pipelines.ranges import Range

Resize = Literal["stretch", "letterbox"]
RESIZES: tuple[str, ...] = get_args(Resize)

PROBABILITY = Range(0.0, 1.0, "true, false or a probability from 0 to 1")
ZOOM = Range(0.05, 20.0, "[low, high] within 0.05 to 20, as [0.75, 1.5]")
DEGREES = Range(0.0, 180.0, "degrees from 0 to 180")
COLOUR = Range(0.0, 0.9, "a number from 0 to 0.9")


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


# By the key of an augmentation: returns what a value stands for; a ValueError says what was expected.
AUGMENTATIONS: Mapping[str, Callable[[Any], Any]] = {
    "flip": flip,
    "scale": scale,
    "rotate": DEGREES,
    "colour": COLOUR,
}
