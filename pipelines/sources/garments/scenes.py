"""Scenes of garments, tinted, turned and scaled, over one another on a textured ground.

The script says what is where. Each scene is drawn in graph from its line of the script, by few operations on planes
`[H, W]` that one matrix product turns into colours. Lengths are in pixels; colours, shades and opacities in 0..1.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pipelines.sources.garments.script import GARMENTS

VISIBLE = 0.4  # a garment of which less would be seen is left out
COVER = 0.12  # a garment that would cover more of the largest is left out
SHADOW = 0.4  # how much a garment darkens what is under its lower right edge
GRAIN = (48, 48, 1)  # knots of the finer noise over a scene


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
