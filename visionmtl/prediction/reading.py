"""Pictures read, decoded and resized by threads: one that cannot be read has its sentence in its place."""

import functools
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from os import cpu_count

import numpy as np
import tensorflow as tf

from pipelines import DataError
from visionmtl import images

NOTHING = np.zeros((1, 1, 3), np.uint8)  # stands for a picture that cannot be read
PIXELS = tf.TensorSpec((None, None, 3), tf.uint8)


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


@functools.cache
def fitting(size: tuple[int, int], resize: str) -> Callable[[np.ndarray], tuple[tf.Tensor, tf.Tensor]]:
    """Return what fits pictures, uint8 `[h, w, 3]`, to a network's input, as `images.fit` does, compiled."""
    return tf.function(lambda pixels: images.fit(pixels, size, resize), input_signature=[PIXELS], autograph=False)


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

    fit = fitting(size, resize)

    def sample(place: int) -> Sample:
        try:
            pixels, error = read(place), ""
        except DataError as fault:
            pixels, error = NOTHING, str(fault).encode(errors="backslashreplace").decode()
        except MemoryError:
            pixels, error = NOTHING, f"Picture {place + 1} is too large for the memory that is left."
        fitted, window = fit(pixels)
        kept = pixels if keeps(place) else pixels[:0]
        return Sample(place, error, pixels.shape[:2], kept, np.asarray(fitted), np.asarray(window))

    waiting: deque[Future[Sample]] = deque()
    with ThreadPoolExecutor(cpu_count(), "reading") as pool:
        try:
            for place in places:
                waiting.append(pool.submit(sample, place))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # whoever takes them may have been stopped
            pool.shutdown(cancel_futures=True)
