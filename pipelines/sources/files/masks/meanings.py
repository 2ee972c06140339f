"""What the pixels of mask files mean: the class id of each value or colour, in graph and to say what is wrong."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from pipelines.kinds.spec import IGNORE
from pipelines.pixels import pictures
from pipelines.pixels.opening import opened
from pipelines.sources.files.masks.legends import Colour, Legend

GREY = 0x010101  # by which the code of a grey colour can be divided
NO_CLASS = IGNORE - 1  # what a value becomes that is no class, to be found out
REMEDY = (
    "if it is a class, say so by mask_colours={name: value, ...}, or mask_offset=1 where classes count from 1; if it "
    "is none, by ignore=VALUE"
)
MANY = 8  # values that are no class, from which on a mask is no drawing of flat areas
SMOOTH = "; there are {count} such {what}s, as smoothed edges or JPEG leave them: save masks as PNG, without smoothing"


class Meaning:
    """What the pixels of mask files mean."""

    coloured = False  # whether masks are read as colours

    def read(self, path: tf.Tensor, slow: tf.Tensor) -> tf.Tensor:
        """Return the class ids of a mask file, in graph: uint8 `[h, w, 1]`, `IGNORE` and `NO_CLASS` among them.

        Args:
            path: scalar string.
            slow: scalar bool, whether Pillow must read it.
        """
        raise NotImplementedError

    def ids(self, values: np.ndarray) -> np.ndarray:
        """Return the class id of each value, as `values_of` counts them."""
        raise NotImplementedError

    def wrong(self, path: Path) -> str | None:
        """Return the sentence that says which value of a mask is no class, or None."""
        values, counts = values_of(path, self.coloured)
        unknown = self.ids(values) == NO_CLASS
        if not unknown.any():
            return None
        order = np.argsort(-counts[unknown], kind="stable")
        value, count = int(values[unknown][order[0]]), int(counts[unknown][order[0]])
        what, many = "colour" if self.coloured else "value", int(unknown.sum())
        smooth = SMOOTH.format(count=many, what=what) if many >= MANY else ""
        pixels = f"{count:,} pixels have it" if count > 1 else "one pixel has it"
        expected, remedy = self.expected(value)
        return f"Mask '{path}' has the {what} {self.shown(value)}: expected {expected} ({pixels}; {remedy}{smooth})."

    def shown(self, value: int) -> str:
        """Return a value in words."""
        return str(value)

    def expected(self, value: int) -> tuple[str, str]:
        """Say what was expected instead of a value, and what to do."""
        raise NotImplementedError


@dataclass(frozen=True)
class Numbers(Meaning):
    """Masks of numbers.

    Attributes:
        table: by the number 0 to 255, the class id, `IGNORE` or `NO_CLASS`.
        words: what values are expected.
    """

    table: tuple[int, ...]
    words: str

    def read(self, path: tf.Tensor, slow: tf.Tensor) -> tf.Tensor:
        mask = pictures.decode_mask(path, slow)
        if self.table == tuple(range(len(self.table))):
            return mask
        return tf.gather(tf.constant(self.table, tf.uint8), tf.cast(mask, tf.int32))

    def ids(self, values: np.ndarray) -> np.ndarray:
        known = (values >= 0) & (values < len(self.table))
        return np.where(known, np.array(self.table)[np.where(known, values, 0)], NO_CLASS)

    def expected(self, value: int) -> tuple[str, str]:
        return self.words, REMEDY


@dataclass(frozen=True)
class Greys(Numbers):
    """Masks of numbers that are stored as colours, red, green and blue alike."""

    coloured = True

    def read(self, path: tf.Tensor, slow: tf.Tensor) -> tf.Tensor:
        pixels = pictures.decode(path, slow, tf.constant(False))
        grey = tf.reduce_all(pixels == pixels[..., :1], axis=-1, keepdims=True)
        ids = tf.gather(tf.constant(self.table, tf.uint8), tf.cast(pixels[..., :1], tf.int32))
        return tf.where(grey, ids, tf.constant(NO_CLASS, tf.uint8))

    def ids(self, values: np.ndarray) -> np.ndarray:
        grey = values % GREY == 0
        return np.where(grey, super().ids(np.where(grey, values // GREY, 0)), NO_CLASS)

    def shown(self, value: int) -> str:
        return str(value // GREY if value % GREY == 0 else colour(value))


@dataclass(frozen=True)
class Colours(Meaning):
    """Masks of colours, those of a legend; grey masks and palettes count as the colours that they show."""

    legend: Legend
    coloured = True

    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the codes of all colours in order, and their class ids."""
        colours = [*(self.legend.colours or ()), *self.legend.ignored]
        codes = np.array([code(np.array(colour)) for colour in colours])
        ids = np.array([*range(len(self.legend.names)), *(IGNORE for _ in self.legend.ignored)])
        order = np.argsort(codes)
        return codes[order], ids[order]

    def read(self, path: tf.Tensor, slow: tf.Tensor) -> tf.Tensor:
        codes, ids = (tf.constant(part, tf.int32) for part in self._table())
        pixels = tf.cast(pictures.decode(path, slow, tf.constant(False)), tf.int32)
        packed = tf.bitwise.left_shift(pixels[..., 0], 16) + tf.bitwise.left_shift(pixels[..., 1], 8) + pixels[..., 2]
        flat = tf.reshape(packed, [-1])
        place = tf.minimum(tf.searchsorted(codes, flat), codes.shape[0] - 1)
        found = tf.where(tf.gather(codes, place) == flat, tf.gather(ids, place), NO_CLASS)
        return tf.cast(tf.reshape(found, tf.shape(packed)), tf.uint8)[..., None]

    def ids(self, values: np.ndarray) -> np.ndarray:
        codes, ids = self._table()
        place = np.minimum(np.searchsorted(codes, values), len(codes) - 1)
        return np.where(codes[place] == values, ids[place], NO_CLASS)

    def shown(self, value: int) -> str:
        return str(colour(value))

    def expected(self, value: int) -> tuple[str, str]:
        names, colours = self.legend.names, np.array(self.legend.colours)
        place = int(np.abs(colours - np.array(colour(value))).sum(axis=1).argmin())
        nearest = list(map(int, colours[place]))
        return (
            f"one of the {len(names)} colours of {self.legend.where}, nearest {nearest} of '{names[place]}'",
            f"mend the mask, or name the class of each colour, as mask_colours={{{names[place]}: {nearest}, ...}}",
        )


def stopped(mask: tf.Tensor, classes: int, whose: tf.Tensor) -> tf.Tensor:
    """Return a mask, in graph, that stops at a value that is no class: for samples that nobody checks.

    Args:
        mask: uint8 class ids.
        classes: how many there are.
        whose: scalar string, the beginning of the sentence: "Mask 'a.png'".
    """
    sound = tf.reduce_all((mask < classes) | (mask == IGNORE))
    told = tf.strings.join([whose, " has a value that is no class: check: full says which."])
    with tf.control_dependencies([tf.debugging.Assert(sound, [told])]):
        return tf.identity(mask)


def code(colours: np.ndarray) -> np.ndarray:
    """Return each colour `[..., 3]` as one number."""
    colours = colours.astype(np.int64)
    return (colours[..., 0] << 16) + (colours[..., 1] << 8) + colours[..., 2]


def colour(value: int) -> Colour:
    """Return the colour of a code."""
    return value >> 16, value >> 8 & 255, value & 255


def values_of(path: Path, coloured: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of a mask file, in order, and in how many pixels each is.

    Args:
        path: of the mask.
        coloured: whether they are colours, each as its `code`, or else numbers.
    """
    if coloured:
        with open(path, "rb") as file, opened(file, limited=False) as picture:
            flat = code(np.asarray(picture.convert("RGB"))).ravel()
    else:
        flat = pictures.mask_values(path).ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])  # masks have long runs of one value: count these
    lengths = np.diff(np.r_[starts, len(flat)])
    values, places = np.unique(flat[starts], return_inverse=True)
    return values, np.bincount(places.ravel(), weights=lengths).astype(np.int64)
