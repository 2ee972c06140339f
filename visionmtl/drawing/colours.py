"""The colours of classes, told apart by all kinds of colour vision, and those that all drawings use."""

import functools
from collections.abc import Mapping, Sequence

import numpy as np

# Okabe and Ito's seven, for all kinds of colour vision, then five hues between: a tint shows hue alone.
FIRST_COLOURS = (
    *("E69F00", "56B4E9", "D55E00", "009E73", "F0E442", "0072B2", "CC79A7"),
    *("8C4FE0", "C2183C", "A4D41A", "FF3FD0", "19DCE0"),
)


INK = (33, 37, 41)


PAPER = (255, 255, 255)


NEGATIVE, POSITIVE = (213, 94, 0), (0, 114, 178)


BACKGROUND = "background"


Colours = Mapping[str, tuple[int, int, int] | None]  # of classes by name, in their order; None: not painted


def palette(count: int) -> np.ndarray:
    """Return one colour per class, uint8 `[count, 3]`; the colour of a class does not depend on `count`.

    The first twelve are chosen by hand; each further one is the colour farthest from all before it, as seen
    with full colour vision and with deuteranopia.
    """
    return _colours(count).copy()


def colours(names: Sequence[str]) -> Colours:
    """Return a colour for each class, in the order given; None for "background", on which the rest lies.

    Example:
        >>> colours(["background", "cat"])
        {'background': None, 'cat': (230, 159, 0)}
    """
    painted = [name for name in names if name != BACKGROUND]
    chosen = dict(zip(painted, map(tuple, palette(len(painted)).tolist()), strict=True))
    return {name: chosen.get(name) for name in names}


def shared(classes: Mapping[str, Sequence[str]]) -> dict[str, Colours]:
    """Return the colours of the classes of several tasks: what they call alike has one colour.

    Args:
        classes: the names of each task's, by its name.

    Example:
        >>> shared({"boxes": ["cat"], "masks": ["sky", "cat"]})["boxes"]
        {'cat': (86, 180, 233)}
    """
    names = dict.fromkeys(name for own in sorted(classes.values(), key=lambda own: -len(own)) for name in own)
    chosen = colours(list(names))
    return {task: {name: chosen[name] for name in own} for task, own in classes.items()}


@functools.cache
def _colours(count: int) -> np.ndarray:
    """Choose colours one by one, each the farthest from those before it; uint8 `[count, 3]`."""
    levels = np.linspace(0, 255, 16)
    candidates = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    lightness, chroma = _as_seen(candidates)[0, :, 0], np.linalg.norm(_as_seen(candidates)[0, :, 1:], axis=-1)
    # Dark, pale and greyish colours vanish on photographs and on white paper; glaring ones drown the rest.
    candidates = candidates[(lightness > 0.5) & (lightness < 0.9) & (chroma > 0.09) & (chroma < 0.22)]
    first = np.array([list(bytes.fromhex(code)) for code in FIRST_COLOURS], np.float64)
    seen = _as_seen(candidates)
    chosen = list(first)
    distance = np.min([_distances(seen, colour) for colour in first], axis=0)
    while len(chosen) < count:
        chosen.append(candidates[np.argmax(distance)])
        distance = np.minimum(distance, _distances(seen, chosen[-1]))
    return np.array(chosen[:count]).round().astype(np.uint8)


def _distances(seen: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return the distance of each candidate to `colour`: the smaller one of the two kinds of vision."""
    return np.linalg.norm(seen - _as_seen(colour[None]), axis=-1).min(axis=0)


def _as_seen(colours: np.ndarray) -> np.ndarray:
    """Return OKLab coordinates `[2, N, 3]` of sRGB colours `[N, 3]`, with full vision and with deuteranopia.

    Reference: Ottosson, A perceptual color space for image processing, 2020;
    Machado et al., A Physiologically-based Model for Simulation of Color Vision Deficiency, 2009.
    """
    fraction = colours / 255
    linear = np.where(fraction <= 0.04045, fraction / 12.92, ((fraction + 0.055) / 1.055) ** 2.4)
    deuteranopia = np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    )
    to_cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                         [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
    to_lab = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                       [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
    both = np.stack([linear, np.clip(linear @ deuteranopia.T, 0, 1)])
    return np.cbrt(both @ to_cones.T) @ to_lab.T
