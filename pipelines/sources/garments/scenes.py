"""Scenes of garments, tinted, turned and scaled, over one another on a textured ground.

A script says once, in NumPy, what is where in all scenes. Each scene is then drawn in graph from its line of the
script, by few operations on planes `[H, W]` that one matrix product turns into colours. Lengths are in pixels; colours,
shades and opacities in 0..1.
"""

from collections.abc import Mapping
from math import cos, pi, sin
from typing import NamedTuple

import numpy as np
import tensorflow as tf

GARMENTS = 4  # at most, in a scene
LARGEST = (0.10, 0.22)  # area of the largest garment, as a fraction of the square of the scene's shorter side
OTHERS = (0.18, 0.50)  # area of another garment, as a fraction of the largest
TURN = 0.35  # radians to either side
VISIBLE = 0.4  # a garment of which less would be seen is left out
COVER = 0.12  # a garment that would cover more of the largest is left out
SPRITE = 28  # pixels of a garment's side
SHADOW = 0.4  # how much a garment darkens what is under its lower right edge
CLOUDS, GRAIN = (5, 5, 3), (48, 48, 1)  # knots of the noise over a scene
GROUNDS = 5  # plain, shaded, striped, checked, woven


class Scene(NamedTuple):
    """A picture and what is in it.

    `image` uint8 `[H, W, 3]`; `mask` uint8 `[H, W, 1]`, 1 + the class of the topmost garment, or 0; `boxes` float32
    `[GARMENTS, 4]` around what is visible, and `classes` int32 `[GARMENTS]`, garments first, then class -1; `label`
    int32, the class of the largest garment.
    """

    image: tf.Tensor
    mask: tf.Tensor
    boxes: tf.Tensor
    classes: tf.Tensor
    label: tf.Tensor


class Layer(NamedTuple):
    """One garment in its place, float32 `[H, W]` each; `solid` is 0 or 1."""

    opacity: tf.Tensor
    solid: tf.Tensor
    shade: tf.Tensor
    shadow: tf.Tensor


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

    classes = np.argsort(draw(len(areas)), axis=1)[:, :GARMENTS]
    which = (draw(GARMENTS) * areas.shape[1]).astype(int)
    largest, others = (draw(2) * GARMENTS).astype(int).T
    wanted = np.argsort(draw(GARMENTS), axis=1) <= others[:, None]
    own = areas[classes, which]
    sides = _sides(own, draw(GARMENTS), largest, min(size))
    patches, transforms = _turns(sides, draw(GARMENTS), draw(GARMENTS) < 0.5, min(size))
    room = np.array(size) - patches[..., None]
    corners = (draw(GARMENTS, 2) * (room + 1)).astype(int)
    inner = np.stack([corners, room - corners], axis=-1)

    bright = _rgb(draw(GARMENTS), 0.1 + 0.8 * draw(GARMENTS), 0.75 + 0.25 * draw(GARMENTS))
    dark = bright * (0.1 + 0.25 * draw(GARMENTS))[..., None]
    mean, other = np.moveaxis(_rgb(draw(2), 0.5 * draw(2), 0.3 + 0.6 * draw(2)), 1, 0)
    amplitude = (0.1 + 0.3 * draw(1)) * (other - mean)
    cloth = np.stack([dark, bright - dark], axis=2).reshape(count, 2 * GARMENTS, 3)
    colours = [cloth, mean[:, None], amplitude[:, None], np.full((count, 1, 3), 0.08)]
    angle, pace, phase = np.moveaxis(draw(3), 1, 0) * [[pi], [7.0], [6.0]]
    waves = np.stack([np.cos(angle), np.sin(angle), 2.0 * pi * (2.0 + pace) / min(size), phase], axis=1)
    return {
        "sprites": np.stack([classes, which], axis=-1).astype(np.int32),
        "transforms": transforms.astype(np.float32),
        "patches": patches.astype(np.int32),
        "paddings": inner.astype(np.int32),
        "largest": largest.astype(np.int32),
        "wanted": wanted,
        "colours": np.concatenate(colours, axis=1).astype(np.float32),
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


def draw_scene(line: Mapping[str, tf.Tensor], garments: tf.Tensor, size: tuple[int, int]) -> Scene:
    """Draw one scene, in graph.

    Garments that would be nearly hidden, or would hide much of the largest, are left out: together the others hide at
    most a third of it, so its class is the one that covers most of the scene.

    Args:
        line: one row of the script.
        garments: float32 `[classes, garments, 28, 28, 2]`, premultiplied shade and opacity.
        size: height and width of the scene.
    """
    sprites, classes = tf.gather_nd(garments, line["sprites"]), line["sprites"][:, 0]
    layers = [_layer(sprites[k], line, k, size) for k in range(GARMENTS)]
    visible = _arrange(tf.stack([layer.solid for layer in layers]), line["largest"], line["wanted"])
    boxes, shown = _extents(visible)
    order = tf.argsort(tf.cast(shown, tf.int32), direction="DESCENDING", stable=True)
    mask = tf.matmul(tf.cast(classes[None] + 1, tf.float32), tf.reshape(visible, [GARMENTS, -1]))
    return Scene(
        _paint(layers, tf.cast(shown, tf.float32), line, size),
        tf.cast(tf.reshape(mask, [*size, 1]), tf.uint8),
        tf.gather(boxes, order),
        tf.gather(tf.where(shown, classes, -1), order),
        classes[line["largest"]],
    )


def _layer(sprite: tf.Tensor, line: Mapping[str, tf.Tensor], depth: int, size: tuple[int, int]) -> Layer:
    """Turn a sprite and put it in its place."""
    patch = line["patches"][depth]
    turned = tf.raw_ops.ImageProjectiveTransformV3(
        images=sprite[None],
        transforms=line["transforms"][depth][None],
        output_shape=tf.stack([patch, patch]),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )[0]
    premultiplied, soft = tf.unstack(turned, axis=-1)
    shift = max(min(size) // 40, 1)
    planes = Layer(
        opacity=tf.clip_by_value(2.0 * soft - 0.5, 0.0, 1.0),
        solid=tf.round(soft),
        shade=premultiplied / tf.maximum(soft, 1e-3),
        shadow=tf.pad(soft, [[shift, 0], [shift, 0]])[:patch, :patch],
    )
    return Layer(*(tf.ensure_shape(tf.pad(plane, line["paddings"][depth]), size) for plane in planes))


def _arrange(solid: tf.Tensor, largest: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    """Decide from the top down which garments stay.

    Args:
        solid: the garments as 0 and 1, `[GARMENTS, H, W]`.
        largest: depth of the largest garment.
        wanted: bool `[GARMENTS]`.

    Returns:
        What is seen of each garment as 0 and 1, nothing if it is left out.
    """
    flat = tf.reshape(solid, [GARMENTS, -1])
    shared = tf.matmul(flat, flat, transpose_b=True)  # pixels that two garments share; a product is the fastest sum
    enough, depths = VISIBLE * tf.linalg.diag_part(shared), tf.range(GARMENTS)
    harmless = (depths > largest) | (shared[largest] <= COVER * shared[largest, largest])
    needed = tf.where(wanted & harmless, enough, np.inf)
    needed = tf.unstack(tf.where(depths == largest, 0.0, needed))
    free, visible = tf.ones_like(flat[0]), []
    for own, least in zip(tf.unstack(flat), needed, strict=True):
        seen = own * free
        visible.append(seen * tf.cast(tf.reduce_sum(seen) >= least, tf.float32))
        free -= visible[-1]
    return tf.reshape(tf.stack(visible), solid.shape)


def _extents(visible: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Boxes `[GARMENTS, 4]` around the ones in float32 `[GARMENTS, H, W]`, and whether there are any `[GARMENTS]`."""
    count, height, width = visible.shape
    columns = tf.reduce_sum(visible, axis=1)
    rows = tf.reshape(tf.matmul(tf.reshape(visible, [-1, width]), tf.ones([width, 1])), [count, height])
    ends = []
    for sums in (columns, rows):
        there = tf.cast(sums > 0.5, tf.int32)
        ends.append((tf.argmax(there, axis=1), sums.shape[1] - tf.argmax(there[:, ::-1], axis=1)))
    (left, right), (top, bottom) = ends
    shown = tf.reduce_max(there, axis=1) > 0
    boxes = tf.cast(tf.stack([left, top, right, bottom], axis=1), tf.float32)
    return tf.where(shown[:, None], boxes, 0.0), shown


def _paint(layers: list[Layer], shown: tf.Tensor, line: Mapping[str, tf.Tensor], size: tuple[int, int]) -> tf.Tensor:
    """Paint ground, garments and their shadows; returns the image uint8 `[H, W, 3]`."""
    light, planes = tf.ones(size), []  # light: what still passes through the garments above
    for layer, there in zip(layers, tf.unstack(shown), strict=True):
        own = light * (layer.opacity * there)
        planes += [own, own * layer.shade]
        light = (light - own) * (1.0 - SHADOW * there * layer.shadow)
    grain = tf.random.stateless_uniform(GRAIN, line["grain"], -0.5, 0.5)
    planes += [light, light * _pattern(line["ground"], line["waves"], size), tf.reshape(_smooth(grain, size), size)]
    painted = tf.matmul(tf.reshape(tf.stack(planes), [len(planes), -1]), line["colours"], transpose_a=True)
    image = tf.reshape(painted, [*size, 3]) + _smooth(line["clouds"], size)
    return tf.cast(tf.clip_by_value(image, 0.0, 1.0) * 255.0 + 0.5, tf.uint8)


def _smooth(knots: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """Interpolate `[rows, columns, C]` to `[H, W, C]`."""
    return tf.raw_ops.ResizeBilinear(images=knots[None], size=size, half_pixel_centers=True)[0]


def _pattern(kind: tf.Tensor, waves: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """The pattern of a ground, `[H, W]` in -1..1; waves are cosine and sine of the angle, pace and phase."""
    cosine, sine, pace, phase = tf.unstack(waves)
    y, x = tf.range(size[0], dtype=tf.float32)[:, None], tf.range(size[1], dtype=tf.float32)[None]

    def stripes(x_step: tf.Tensor, y_step: tf.Tensor) -> tf.Tensor:
        return tf.tanh(4.0 * tf.sin(pace * x_step * x + (pace * y_step * y + phase)))

    kinds = [
        lambda: tf.zeros(size),
        lambda: (2.0 * x / size[1] - 1.0) * cosine + (2.0 * y / size[0] - 1.0) * sine,
        lambda: stripes(cosine, sine),
        lambda: stripes(cosine, sine) * stripes(-sine, cosine),
        lambda: 0.5 * (stripes(cosine, sine) + stripes(-sine, cosine)),
    ]
    return tf.ensure_shape(tf.switch_case(kind, kinds), size)
