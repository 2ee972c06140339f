"""What may be done to training pictures, checked, and drawn at random where one is alone: flip, zoom, turn, colour."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, pi
from typing import Any

import tensorflow as tf

from pipelines.errors import DataError, one_of
from pipelines.pixels import rules
from pipelines.pixels.geometry import Cut

FIRST = 8  # uniform numbers a sample needs: flip, zoom, position (2), brightness, contrast, saturation, turn
LATER = 4  # those that came later: hue, the tint of each channel
DRAWS = FIRST + LATER + 1  # and the last: half a turn
LUMA = (0.299, 0.587, 0.114)  # of red, green and blue in grey
CHROMA = ((0.595901, -0.274557, -0.321344), (0.211537, -0.522736, 0.311200))  # I and Q of YIQ, which turn with the hue
MIDDLE = 127.5  # the level that contrast leaves as it is


@dataclass(frozen=True)
class Augmentation:
    """Augmentation of training pictures; everything is off by default.

    Args:
        flip: the probability that a picture is mirrored left to right; True is 0.5.
        scale: `[low, high]`, the range of a zoom drawn log-uniformly: above 1 a random part of the picture fills the
            image, below 1 the picture lies somewhere in it, surrounded by grey (ignored in masks, unknown in depth).
            Depths are divided by the zoom: what is seen twice as large is half as far (Eigen et al. 2014, section 3).
        rotate: degrees, up to 180: the picture is turned about the image's centre by an angle drawn from -rotate to
            rotate; corners that stay empty are grey. A box becomes the upright one around the turned box. It costs
            several times what flip and zoom do: every pixel has a place of its own.
        half_turn: the probability that the picture is turned by 180 degrees, beside `rotate` and at its cost. With
            `flip` it lies in any of four ways, as cells under a microscope and fields seen from the air do.
        colour: brightness, contrast and saturation are each multiplied by 1 - colour to 1 + colour; 0.2 is mild, 0.5
            strong.
        hue: degrees, up to 180: all hues are turned by an angle drawn from -hue to hue, in the plane of chroma (I and Q
            of YIQ), so that grey stays grey and no pixel's luma changes; 5 to 10 is mild. At no cost beside `colour`.
        tint: the white balance: red, green and blue are each multiplied, last of all, by a number of their own from
            1 - tint to 1 + tint, as other cameras and hours give other colours to what is grey; 0.1 is mild. At no cost
            beside `colour`.
        mosaic: the probability that a picture lies with three others of the split around a random point in the middle
            half of the image (Bochkovskiy et al. 2020, section 3.4). Each is zoomed as `scale` says, then to between a
            half and all of that, but never so far that its window is not full. None of them is turned.
        copy_paste: the probability that objects of another picture lie over it (Ghiasi et al. 2021): of its objects
            about half, at most 8. An object is the pixels of its class in its box, where a mask has a class of that
            name; else its box. Where no boxes are known, half of the mask's classes are taken as a whole (ClassMix,
            Olsson et al. 2021). An object that stands in a pasted one's pixels is a region to ignore.
        cut_mix: the probability that a rectangle of the image shows the same place of another picture, whose part of
            the image is uniform from 0 to 1 (Yun et al. 2019).
        erase: the probability that a rectangle of 2 to 40% of the image is grey, ignored in masks and unknown in depth
            (Zhong et al. 2017).
        until: after so many epochs the four above are over, so that the last ones show pictures as they will be met (as
            YOLOX, Ge et al. 2021, section 2.1, for mosaics); None for never.
        visible: the fraction of its area of which an object must be seen to stay one, cut off or hidden as it may be.
        leftovers: what is seen of others is background with "drop", a region to ignore with "ignore".

    Where several pictures lie in one image:
    - what a picture has no label for is ignored: its window is a region to ignore, its pixels are 255 or of no depth,
      classes that nobody looked for are unknown;
    - classes are present if they are in one of them; those whose objects are all cut off or hidden are absent;
    - the one class of an image counts if all of them have it, else the image's weight for this task is 0. Pasted
      objects leave it as it is;
    - of more than `max_boxes` objects the largest stay.

    Example:
        >>> Augmentation.check({"flip": True, "scale": [0.75, 1.5], "colour": 0.2}).flip
        0.5
    """

    flip: float = 0.0
    scale: tuple[float, float] | None = None
    rotate: float = 0.0
    half_turn: float = 0.0
    colour: float = 0.0
    hue: float = 0.0
    tint: float = 0.0
    mosaic: float = 0.0
    copy_paste: float = 0.0
    cut_mix: float = 0.0
    erase: float = 0.0
    until: int | None = None
    visible: float = 0.25
    leftovers: str = "drop"

    @classmethod
    def check(cls, options: Mapping[str, Any] | None) -> "Augmentation":
        """Build from a dictionary, or None for no augmentation.

        Raises:
            DataError: a key is unknown or a value out of its range.
        """
        checked: dict[str, Any] = {}
        for key, value in (options or {}).items():
            check = rules.AUGMENTATIONS[one_of(key, rules.AUGMENTATIONS, "augmentation")]
            try:
                checked |= {} if value is None else {key: check(value)}
            except ValueError as error:
                raise DataError(f"augmentation.{key} is {value!r}: expected {error}.") from None
        return cls(**checked)

    @property
    def moves(self) -> bool:
        """Whether a picture may lie elsewhere in the image than it does unaugmented, but for being mirrored."""
        return self.scale is not None or self.turned or self.mosaic > 0 or self.cut_mix > 0

    @property
    def turned(self) -> bool:
        """Whether pictures may be turned, by any angle."""
        return self.rotate > 0 or self.half_turn > 0

    @property
    def joins(self) -> str:
        """What lets several pictures lie in one image, the first that does; or nothing."""
        return next((name for name in ("mosaic", "copy_paste", "cut_mix") if getattr(self, name) > 0), "")

    @property
    def composes(self) -> bool:
        """Whether an image may be other than one picture."""
        return bool(self.joins) or self.erase > 0

    @property
    def cut(self) -> Cut:
        """What becomes of objects that are seen in part."""
        return Cut(self.visible, self.leftovers == "ignore")

    @property
    def recolours(self) -> bool:
        """Whether pictures get other colours."""
        return self.colour > 0 or self.hue > 0 or self.tint > 0

    def draw(self, seed: tf.Tensor, count: int) -> tf.Tensor:
        """Draw the uniform numbers `[count, DRAWS]` of an epoch's samples from its seed int64 `[2]`.

        The first eight are flip, zoom, position (2), brightness, contrast, saturation and turn, as they always were.
        """
        first = tf.random.stateless_uniform([count, FIRST], seed)
        later = tf.random.stateless_uniform([count, LATER], tf.random.fold_in(seed, 1))
        return tf.concat([first, later, tf.random.stateless_uniform([count, 1], tf.random.fold_in(seed, 2))], axis=1)

    def flips(self, uniform: tf.Tensor) -> tf.Tensor:
        """Turn uniform numbers `[N, DRAWS]` into whether to mirror: bool `[N]`."""
        return uniform[:, 0] < self.flip

    def zooms(self, uniform: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Turn uniform numbers `[N, DRAWS]` into zoom factors `[N]` and positions `[N, 2]`."""
        low, high = self.scale or (1.0, 1.0)
        return low * tf.exp(uniform[:, 1] * log(high / low)), uniform[:, 2:4]

    def turns(self, uniform: tf.Tensor) -> tf.Tensor:
        """Turn uniform numbers `[N, DRAWS]` into angles `[N]` in radians."""
        half = tf.where(uniform[:, 12] < self.half_turn, pi, 0.0)
        return (2.0 * uniform[:, 7] - 1.0) * (self.rotate * pi / 180.0) + half

    def colours(self, uniform: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Turn uniform numbers `[N, DRAWS]` into colour maps for `recolour`: matrices `[N, 3, 3]` and lifts `[N]`."""
        factor = 1.0 + self.colour * (2.0 * uniform[:, 4:7] - 1.0)
        brightness, contrast, saturation = tf.unstack(factor[..., None, None], axis=1)
        grey = tf.repeat(tf.constant(LUMA)[:, None], 3, axis=1)
        matrix = brightness * contrast * (saturation * tf.eye(3) + (1.0 - saturation) * grey)
        if self.hue:
            matrix @= hue_turns((2.0 * uniform[:, 8] - 1.0) * (self.hue * pi / 180.0))
        if self.tint:
            matrix *= 1.0 + self.tint * (2.0 * uniform[:, None, 9:12] - 1.0)
        lift = MIDDLE * (1.0 - contrast) / (brightness * contrast)
        return matrix, lift[:, 0, 0]


def hue_turns(angles: tf.Tensor) -> tf.Tensor:
    """Return what pixels, as rows, are multiplied by to have their hues turned: `[N, 3, 3]` of radians `[N]`."""
    to_yiq = tf.constant([LUMA, *CHROMA])
    cos, sin, none = tf.cos(angles), tf.sin(angles), tf.zeros_like(angles)
    turn = tf.stack([none + 1.0, none, none, none, cos, -sin, none, sin, cos], axis=1)
    turned = tf.linalg.inv(to_yiq) @ tf.reshape(turn, [-1, 3, 3]) @ to_yiq
    return tf.linalg.matrix_transpose(turned)


def recolour(image: tf.Tensor, matrix: tf.Tensor, lift: tf.Tensor) -> tf.Tensor:
    """Give an image uint8 `[H, W, 3]` new colours: (rgb + lift) @ matrix.

    Contrast keeps grey grey, so that it can be a lift before the matrix, which costs less than offsets of the channels.
    Four pixels share a row of a block matrix, since a product of rows of three crawls.
    """
    group = 4 if image.shape[0] * image.shape[1] % 4 == 0 else 1
    block = tf.reshape(tf.eye(group)[:, None, :, None] * matrix[None, :, None, :], [3 * group, 3 * group])
    pixels = tf.reshape(tf.cast(image, tf.float32) + lift, [-1, 3 * group])
    mapped = tf.clip_by_value(tf.matmul(pixels, block) + 0.5, 0.0, 255.0)
    return tf.reshape(tf.cast(mapped, tf.uint8), image.shape)
