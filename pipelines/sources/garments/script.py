"""What is where in all scenes of garments: the script by which each is drawn. Lengths are in pixels."""

from collections.abc import Callable
from math import cos, pi, sin

import numpy as np

GARMENTS = 4  # at most, in a scene
LARGEST = (0.10, 0.22)  # area of the largest garment, as a fraction of the square of the scene's shorter side
OTHERS = (0.18, 0.50)  # area of another garment, as a fraction of the largest
TURN = 0.35  # radians to either side
SPRITE = 28  # pixels of a garment's side
CLOUDS = (5, 5, 3)  # knots of the noise over a scene
GROUNDS = 5  # plain, shaded, striped, checked, woven
Draw = Callable[..., np.ndarray]  # from a shape to the next uniform numbers of every scene, `[N, *shape]`


def write_script(seed: list[int], count: int, areas: np.ndarray, size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Decide what is where in `count` scenes; a scene's line does not depend on how many follow it.

    Garments are listed from the topmost down. One is the largest: the others have at most half its area.

    Args:
        seed: whole numbers.
        count: number of scenes.
        areas: `[classes, garments]`, the fraction of each sprite that is garment.
        size: height and width of the scenes.

    Returns:
        Arrays with one row a scene: `sprites` `[GARMENTS, 2]` (class, which), `transforms` `[GARMENTS, 8]` and
        `patches` `[GARMENTS]` (pixels a side) of the turned sprites, `paddings` `[GARMENTS, 2, 2]` that put them in
        place, `largest` (its depth), `wanted` `[GARMENTS]`, `colours` `[2 * GARMENTS + 3, 3]` of the planes to paint,
        `ground` (its kind), `waves` `[4]` of it, `clouds`, and `grain` (a seed `[2]`).
    """
    numbers = np.random.default_rng(seed).random((count, 160))
    used = 0

    def draw(*shape: int) -> np.ndarray:
        nonlocal used
        used += (width := int(np.prod(shape)))
        return numbers[:, used - width : used].reshape(count, *shape)

    return _places(draw, areas, size) | {"colours": _colours(draw)} | _ground(draw, min(size))  # in this order for ever


def _places(draw: Draw, areas: np.ndarray, size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Which garments there are, and where."""
    classes = np.argsort(draw(len(areas)), axis=1)[:, :GARMENTS]
    which = (draw(GARMENTS) * areas.shape[1]).astype(int)
    largest, others = (draw(2) * GARMENTS).astype(int).T
    wanted = np.argsort(draw(GARMENTS), axis=1) <= others[:, None]
    sides = _sides(areas[classes, which], draw(GARMENTS), largest, min(size))
    patches, transforms = _turns(sides, draw(GARMENTS), draw(GARMENTS) < 0.5, min(size))
    room = np.array(size) - patches[..., None]
    corners = (draw(GARMENTS, 2) * (room + 1)).astype(int)
    return {
        "sprites": np.stack([classes, which], axis=-1).astype(np.int32),
        "transforms": transforms.astype(np.float32),
        "patches": patches.astype(np.int32),
        "paddings": np.stack([corners, room - corners], axis=-1).astype(np.int32),
        "largest": largest.astype(np.int32),
        "wanted": wanted,
    }


def _colours(draw: Draw) -> np.ndarray:
    """The colours `[N, 2 * GARMENTS + 3, 3]` of garments (dark, and how much brighter), ground, pattern and grain."""
    bright = _rgb(draw(GARMENTS), 0.1 + 0.8 * draw(GARMENTS), 0.75 + 0.25 * draw(GARMENTS))
    dark = bright * (0.1 + 0.25 * draw(GARMENTS))[..., None]
    mean, other = np.moveaxis(_rgb(draw(2), 0.5 * draw(2), 0.3 + 0.6 * draw(2)), 1, 0)
    amplitude = (0.1 + 0.3 * draw(1)) * (other - mean)
    cloth = np.stack([dark, bright - dark], axis=2).reshape(len(dark), 2 * GARMENTS, 3)
    planes = [cloth, mean[:, None], amplitude[:, None], np.full((len(dark), 1, 3), 0.08)]
    return np.concatenate(planes, axis=1).astype(np.float32)


def _ground(draw: Draw, short: int) -> dict[str, np.ndarray]:
    """The pattern of the ground, and the noise over the scene."""
    angle, pace, phase = np.moveaxis(draw(3), 1, 0) * [[pi], [7.0], [6.0]]
    waves = np.stack([np.cos(angle), np.sin(angle), 2.0 * pi * (2.0 + pace) / short, phase], axis=1)
    return {
        "ground": (draw(1)[:, 0] * GROUNDS).astype(np.int32),
        "waves": waves.astype(np.float32),
        "clouds": 0.16 * (draw(*CLOUDS) - 0.5).astype(np.float32),
        "grain": (draw(2) * 2**31).astype(np.int64),
    }


def _sides(areas: np.ndarray, uniform: np.ndarray, largest: np.ndarray, short: int) -> np.ndarray:
    """Side lengths `[N, GARMENTS]` of sprites of which `areas` is garment."""
    rows = np.arange(len(areas))
    longest = 0.95 * short / (cos(TURN) + sin(TURN))
    area = LARGEST[0] + (LARGEST[1] - LARGEST[0]) * uniform[rows, largest]
    side = np.minimum(short * np.sqrt(area / areas[rows, largest]), longest)
    fraction = OTHERS[0] + (OTHERS[1] - OTHERS[0]) * uniform
    fraction[rows, largest] = 1.0
    return np.minimum(side[:, None] * np.sqrt(fraction * areas[rows, largest][:, None] / areas), longest)


def _turns(sides: np.ndarray, uniform: np.ndarray, flip: np.ndarray, short: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches that hold the turned sprites, and the maps `[..., 8]` from their pixels to those of the sprites."""
    angle = TURN * (2.0 * uniform - 1.0)
    cosine, sine = np.cos(angle), np.sin(angle)
    patches = np.minimum(np.ceil(sides * (cosine + np.abs(sine))), short)
    centre, middle, step = (patches - 1.0) / 2.0, (SPRITE - 1) / 2.0, SPRITE / sides
    mirrored, none = np.where(flip, -step, step), np.zeros_like(step)
    x_row = [mirrored * cosine, -mirrored * sine, middle - mirrored * centre * (cosine - sine)]
    y_row = [step * sine, step * cosine, middle - step * centre * (sine + cosine)]
    return patches, np.stack([*x_row, *y_row, none, none], axis=-1)


def _rgb(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Colours `[..., 3]` from hue, saturation and value."""
    wheel = np.abs((hue[..., None] * 6.0 + [0.0, 4.0, 2.0]) % 6.0 - 3.0) - 1.0
    return value[..., None] * (1.0 - saturation[..., None] * (1.0 - np.clip(wheel, 0.0, 1.0)))
