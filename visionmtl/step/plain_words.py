"""What goes wrong while a model is trained or measured, in words that say what to do."""

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from pipelines.errors import plainly
from visionmtl.errors import out_of_memory
from visionmtl.step import memory
from visionmtl.step.given import strange_batches


@contextlib.contextmanager
def plain_words(x: Any, batch_size: int | None = None, replicas: int | None = None) -> Iterator[None]:
    """Raise what was raised within a data set as what it was, and say of a want of memory what would fit.

    That is a note to the error, which stays of its kind: who catches it may try again with less.

    Args:
        x: what `fit` was given.
        batch_size: images of a step, for arrays.
        replicas: that a step trains on; None where it only measures.
    """
    with plainly():
        try:
            yield
        except Exception as error:
            if out_of_memory(error):
                error.add_note(_advice(x, batch_size, replicas))
            if told := strange_batches(x, error):
                raise told from error
            raise


def _advice(x: Any, batch_size: int | None, replicas: int | None) -> str:
    """Return what was too much and what would fit, as far as it is known."""
    spec = tf.nest.flatten(getattr(x, "element_spec", x))[0]
    shape = tuple(getattr(spec, "shape", ()) or ())
    batch = (shape[0] if shape else None) if isinstance(x, tf.data.Dataset) else batch_size or 32
    if len(shape) == 4 and None not in shape[1:3]:
        what = memory.images(batch, shape[1], shape[2])
    else:
        what = "a batch" if batch is None else f"a batch of {batch}"
    half = None if batch is None else memory.half(batch, replicas or 1)
    if half == 0:
        return f"{memory.wanting(what)}: smaller images, or keras.mixed_precision, take {memory.LESS}."
    remedy = f"{memory.wanting(what)}: {'batches of half the size' if half is None else f'batches of {half}'}"
    if replicas is None:
        return f"{remedy} take {memory.HALF}."
    return f"{remedy}, with gradient_accumulation_steps=2 in the optimizer, take {memory.HALF} and train alike."
