"""What a model is given for images, looked at before Keras is: what it is in place of arrays, and what to do."""

import inspect
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import GeneratorType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError, check_number

EXPECTED = "expected an array [B, height, width, 3], or batches of them: a tf.data.Dataset, a PyDataset, a generator"
NO_BATCH = "The data hold no sample, or ran out before the first batch: there is nothing to {}."
FORMS = {"O": "of objects, as of rows that differ in length", "S": "of texts", "U": "of texts", "T": "of texts"}
FORMS |= {"c": "of complex numbers", "M": "of dates", "m": "of times"}
STRANGE = ("arrays must be at least rank 1", "`output_signature` must", "Invalid dtype", "__getitem__() must return")


def named(method: str, args: Sequence[Any], kwargs: Mapping[str, Any], taken: int = 2) -> dict[str, Any]:
    """Return arguments of a method of Keras by their names, those given by their places too.

    Args:
        method: of `keras.Model`.
        args: the next.
        kwargs: those with names.
        taken: how many of its first arguments are not among `args`.
    """
    names = [*inspect.signature(getattr(keras.Model, method)).parameters][1 + taken :]
    if len(args) > len(names):
        raise TypeError(f"{method} takes {taken + len(names)} arguments and was given {taken + len(args)}.")
    return dict(zip(names, args, strict=False)) | dict(kwargs)


def check_images(images: Any, inputs: int = 1) -> None:
    """Refuse what is no array of images nor a source of batches: nothing, files, pictures of Pillow, a function.

    Args:
        images: `x` of `fit`, `evaluate` or `predict`.
        inputs: of the model; a list of arrays is for several.

    Raises:
        UsageError: it is one of these.
    """
    if images is None:
        raise UsageError(f"There are no images: {EXPECTED}.")
    several = isinstance(images, list | tuple)
    if several and not images:
        raise UsageError(f"The images are an empty {type(images).__name__}: {EXPECTED}.")
    one = images[0] if several else images
    if isinstance(one, str | bytes | os.PathLike):
        raise UsageError(
            f"The images are given by {'paths' if several else 'a path'}, as '{os.fsdecode(one)}': {EXPECTED};"
            " visionmtl.prediction.predict(model, paths, out) reads files."
        )
    if hasattr(one, "getbands"):
        stacked = "np.stack([np.asarray(each.convert('RGB').resize((width, height))) for each in pictures])"
        raise UsageError(f"The images are {'a list of ' * several}pictures of Pillow: {EXPECTED}, as by {stacked}.")
    if several and inputs == 1 and len(np.shape(one)) == 3:
        raise UsageError(
            f"The images are a {type(images).__name__} of {len(images)}, which Keras takes for {len(images)} inputs:"
            " make one array of them, by np.stack(images), all of one size."
        )
    if isinstance(images, Iterator) and not isinstance(images, GeneratorType | tf.data.Iterator):
        raise UsageError(
            f"The images are an iterator, {type(images).__name__}: {EXPECTED}, as (batch for batch in batches)."
        )
    if inspect.isroutine(images):
        raise UsageError(f"The images are a function, {images.__name__}: {EXPECTED}; call it, as {images.__name__}().")
    check_table("images", images)
    check_numbers("images", images)


def check_numbers(what: str, given: Any) -> None:
    """Refuse an array, or a column of pandas, of what is no number, and one some of whose numbers are masked.

    Raises:
        UsageError: it is one.
    """
    kind = getattr(getattr(given, "dtype", None), "kind", "")
    if kind and kind in FORMS:
        first = next(iter(np.asarray(given).ravel()), None) if kind == "O" else None
        form = FORMS["U"] if isinstance(first, str) else FORMS[kind]
        raise UsageError(
            f"The {what} are an array {form}: expected numbers. Texts are numbered in the order of the task's classes, "
            "from 0; rows that differ in length are filled up, boxes with any numbers and the class -1."
        )
    if np.ma.is_masked(given):
        raise UsageError(
            f"The {what} are a masked array, whose mask Keras passes over: fill it, by filled(-1) of class ids or"
            " filled(255) of masks, or give these samples the weight 0."
        )


def check_table(what: str, given: Any) -> None:
    """Refuse a table of pandas in place of arrays by task.

    Raises:
        UsageError: it is one.
    """
    if hasattr(given, "columns"):
        first = given.columns[0] if len(given.columns) else "scene"
        raise UsageError(
            f"The {what} are a table of the columns {', '.join(map(str, given.columns))}: expected arrays; labels are a"
            f" dictionary by task, as {{'{first}': table['{first}'].to_numpy()}}."
        )


def check_run(batch_size: Any, epochs: Any, callbacks: Any, images: Any, given: Mapping[str, Any]) -> None:
    """Refuse arguments of `fit` that are no numbers that it could go by, and what is no callback.

    Raises:
        UsageError: one is so.
    """
    check_number("fit", "epochs", epochs, at_least=0, whole=True)
    for name in ("steps_per_epoch", "validation_steps", "validation_batch_size"):
        if given.get(name) is not None:
            check_number("fit", name, given[name], at_least=1, whole=True)
    if batch_size is not None:
        check_number("fit", "batch_size", batch_size, at_least=1, whole=True)
        if isinstance(images, tf.data.Dataset):
            warnings.warn(
                f"batch_size={batch_size} is passed over: the data set has batches of its own, as by data.batch(n).",
                stacklevel=3,
            )
    several = callbacks if isinstance(callbacks, list | tuple) else [callbacks] if callbacks else []
    for each in several:
        if not hasattr(each, "set_model") or isinstance(each, type):
            named_so = getattr(each, "__name__", repr(each))
            remedy = f"{named_so}()" if isinstance(each, type) else "keras.callbacks.EarlyStopping()"
            raise UsageError(f"callbacks has {named_so}: expected objects of keras.callbacks, as {remedy}.")


def check_counts(images: Any, labels: Any, weights: Any = None) -> None:
    """Refuse arrays of which one has other samples than the images.

    Raises:
        UsageError: one has.
    """
    count = _count(images)
    for what, given in (("labels", labels), ("weights", weights)):
        if count is None or not isinstance(given, Mapping):
            continue
        for task, label in given.items():
            for leaf in tf.nest.flatten(label):
                own = _count(leaf)
                if own not in (None, count):
                    raise UsageError(
                        f"There are {count:,} images and {own:,} {what} of '{task}': expected one for each image."
                    )


def _count(given: Any) -> int | None:
    """Return how many samples an array has; None of what is none."""
    shape = getattr(given, "shape", None)
    return int(shape[0]) if shape is not None and len(shape) and shape[0] is not None else None


def check_split(images: Any, fraction: Any) -> None:
    """Refuse a `validation_split` that is no fraction, or of what cannot be divided.

    Raises:
        UsageError: it is so.
    """
    if not fraction:
        return
    if isinstance(fraction, str) or not 0 < fraction < 1:
        raise UsageError(f"validation_split is {fraction!r}: expected a number between 0 and 1.")
    if _count(tf.nest.flatten(images)[0]) is None:
        raise UsageError(
            f"validation_split divides arrays, and the images are a {type(images).__name__}: give validation_data, as"
            " by data.take(n) and data.skip(n)."
        )


def strange_batches(images: Any, error: Exception) -> UsageError | None:
    """Return what to say where batches of a generator or the like are in no form that Keras takes; None elsewhere."""
    told = str(error).partition("\n")[0]
    if isinstance(images, tf.data.Dataset) or not any(sign in told for sign in STRANGE):
        return None
    return UsageError(
        f"The batches of the {type(images).__name__} are in no form that Keras takes: expected (images, labels) or "
        "(images, labels, weights), arrays of numbers whose first axis is the batch, labels and weights in dictionaries"
        f" by task, and no lists. Keras says: {told}"
    )
