"""What lies where in images of several pictures, or under something: drawn for a whole epoch, from its seed alone."""

from math import log

import tensorflow as tf

from pipelines.contract import Tree
from pipelines.pixels import geometry, windows
from pipelines.pixels.augmentation import Augmentation
from pipelines.pixels.geometry import Placement

SHRINKING = 0.5  # the most by which pictures in a mosaic are smaller than their zoom says
ERASED = (0.02, 0.4)  # the least and the largest fraction of an image that is erased
ASPECT = 0.3  # of what is erased, the least height over width, and the inverse of the largest
MOSAIC, COPY_PASTE, CUT_MIX, ERASE = range(2, 6)  # numbers that give each a seed of its own


class Arranging:
    """Draws, for each of N samples in an epoch's order, what else lies in its image.

    Args:
        augmentation: how often.
        drawn: the epoch's draws of single pictures: `index`, `shape`, `placement` and `zoom`, N rows each.
        epoch: its number, from 0.
        seed: int64 `[2]`, of the epoch.
        size: height and width of the images in pixels.
        resize: "stretch" or "letterbox".
    """

    def __init__(
        self,
        augmentation: Augmentation,
        drawn: Tree,
        epoch: tf.Tensor,
        seed: tf.Tensor,
        size: tuple[int, int],
        resize: str,
    ):
        self.augmentation, self.drawn, self.epoch, self.seed = augmentation, drawn, epoch, seed
        self.size, self.resize, self.count = size, resize, drawn["index"].shape[0]

    def all(self) -> Tree:
        """Return a tree of N rows for each way that is asked for: `on`, and the pictures and windows it takes."""
        made = {
            "mosaic": self.mosaic,
            "copy_paste": self.copy_paste,
            "cut_mix": self.cut_mix,
            "erase": self.erase,
        }
        asked = {name: make() for name, make in made.items() if getattr(self.augmentation, name) > 0}
        if self.augmentation.until is None:
            return asked
        still = self.epoch < self.augmentation.until
        return {name: {**drawn, "on": drawn["on"] & still} for name, drawn in asked.items()}

    def mosaic(self) -> Tree:
        """Four pictures of each: the sample's own and three of other places in the order."""
        uniform = self._uniform(18, MOSAIC)
        places = tf.concat([tf.range(self.count)[:, None], self._others(uniform[:, 3:6])], axis=1)
        shrinking = tf.exp(log(SHRINKING) * uniform[:, 6:10])
        quarters = windows.quarters(uniform[:, 1:3], self.size)
        filling = self._filling(places, quarters, shrinking, tf.reshape(uniform[:, 10:18], [-1, 4, 2]))
        return {"on": uniform[:, 0] < self.augmentation.mosaic, **filling}

    def copy_paste(self) -> Tree:
        """Another picture as it is placed at its own place in the order, and numbers that choose among its objects."""
        uniform, seed = self._uniform(2, COPY_PASTE), tf.random.fold_in(self.seed, -COPY_PASTE)
        places = self._others(uniform[:, 1])
        placement = Placement(*(tf.gather(part, places) for part in self.drawn["placement"]))
        numbers = tf.random.stateless_uniform([self.count, 2], seed, minval=None, maxval=None, dtype=tf.int32)
        on = uniform[:, 0] < self.augmentation.copy_paste
        return {"on": on, "placement": placement, "numbers": numbers, **self._taken(places)}

    def cut_mix(self) -> Tree:
        """A window and another picture that fills it."""
        uniform = self._uniform(5, CUT_MIX)
        window = windows.rectangles(uniform[:, 1], tf.ones([self.count]), uniform[:, 2:4], self.size)
        filling = self._filling(self._others(uniform[:, 4]), window, tf.ones([self.count]), uniform[:, 2:4])
        return {"on": uniform[:, 0] < self.augmentation.cut_mix, **filling}

    def erase(self) -> Tree:
        """A window of nothing."""
        uniform = self._uniform(5, ERASE)
        area = ERASED[0] + (ERASED[1] - ERASED[0]) * uniform[:, 1]
        aspect = tf.exp(log(ASPECT) * (2.0 * uniform[:, 2] - 1.0))
        window = windows.rectangles(area, aspect, uniform[:, 3:5], self.size)
        return {"on": uniform[:, 0] < self.augmentation.erase, "window": window}

    def _uniform(self, numbers: int, own: int) -> tf.Tensor:
        return tf.random.stateless_uniform([self.count, numbers], tf.random.fold_in(self.seed, own))

    def _others(self, uniform: tf.Tensor) -> tf.Tensor:
        """Places in the order, from numbers from 0 to 1."""
        return tf.minimum(tf.cast(uniform * self.count, tf.int32), self.count - 1)

    def _taken(self, places: tf.Tensor) -> Tree:
        """The pictures at some places in the order."""
        return {key: tf.gather(self.drawn[key], places) for key in ("index", "shape", "zoom")}

    def _filling(self, places: tf.Tensor, window: tf.Tensor, shrinking: tf.Tensor, position: tf.Tensor) -> Tree:
        """Pictures that fill windows of the image, neither turned nor mirrored by themselves."""
        taken = self._taken(places)
        whole = geometry.whole(taken["shape"], self.size, self.resize)
        most = max(1.0, (self.augmentation.scale or (1.0, 1.0))[1])
        placement, zoom = windows.fill(whole, window, taken["zoom"] * shrinking, position, most)
        return {**taken, "placement": placement, "zoom": zoom, "window": window}
