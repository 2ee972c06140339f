"""Pictures read, decoded and resized by tf.data: one that cannot be read has its sentence in its place."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from os import cpu_count

import numpy as np
import tensorflow as tf

from pipelines import DataError
from visionmtl import images

NOTHING = np.zeros((1, 1, 3), np.uint8)  # stands for a picture that cannot be read


@dataclass(frozen=True)
class Sample:
    """A picture as the network takes it.

    Attributes:
        place: among the pictures.
        error: why it cannot be read; empty where it can.
        size: its height and width.
        pixels: uint8 `[h, w, 3]`; `[0, w, 3]` where they are not kept.
        fitted: float32 `[H, W, 3]`.
        window: `[4]`, the part of `fitted` that is the picture.
    """

    place: int
    error: str
    size: tuple[int, int]
    pixels: np.ndarray = field(repr=False)
    fitted: np.ndarray = field(repr=False)
    window: np.ndarray = field(repr=False)


def samples(
    places: Sequence[int],
    read: Callable[[int], np.ndarray],
    size: tuple[int, int],
    resize: str,
    keeps: Callable[[int], bool],
    ahead: int = 8,
) -> Iterator[Sample]:
    """Yield pictures in order; those that come next are read meanwhile, by as many threads as there are cores.

    Args:
        places: of the pictures, as `read` takes them.
        read: returns uint8 `[h, w, 3]`, or raises a `DataError`.
        size: height and width of the network's input in pixels.
        resize: "stretch" or "letterbox".
        keeps: whether a picture's own pixels are wanted too.
        ahead: how many are read ahead.
    """

    def load(place: np.int64) -> tuple[np.ndarray, bytes]:
        try:
            return read(int(place)), b""
        except DataError as error:
            return NOTHING, str(error).encode(errors="backslashreplace")
        except MemoryError:
            return NOTHING, f"Picture {int(place) + 1} is too large for the memory that is left.".encode()

    def sample(place: tf.Tensor, keep: tf.Tensor) -> tuple[tf.Tensor, ...]:
        pixels, error = tf.numpy_function(load, [place], [tf.uint8, tf.string])
        pixels, error = tf.ensure_shape(pixels, [None, None, 3]), tf.ensure_shape(error, [])
        fitted, window = images.fit(pixels, size, resize)
        kept = pixels[: tf.where(keep, tf.shape(pixels)[0], 0)]
        return place, error, tf.shape(pixels)[:2], kept, tf.cast(fitted, tf.float32), window

    if not len(places):
        return
    kept = np.array([keeps(place) for place in places])
    data = tf.data.Dataset.from_tensor_slices((np.array(places, np.int64), kept))
    data = data.map(tf.autograph.experimental.do_not_convert(sample), num_parallel_calls=cpu_count())
    for place, error, shape, *rest in data.prefetch(ahead).as_numpy_iterator():
        yield Sample(int(place), error.decode(), (int(shape[0]), int(shape[1])), *rest)
