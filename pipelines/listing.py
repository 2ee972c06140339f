"""`listed`: the pictures of one split, one by one and at their own size, for who reads no labels of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines.accounts.account import LOST, Account
from pipelines.contract import Original, Request, Split
from pipelines.errors import DataError, Problems
from pipelines.joining.opening import opened, several_opened
from pipelines.pixels.rules import SUFFIXES
from pipelines.splits import split_called


@dataclass(frozen=True)
class Listed:
    """The pictures of a split.

    Attributes:
        split: its name.
        names: what each is called, a file where there is one.
        originals: what each was made from.
        lost: a sentence for each picture of the split that cannot be used, as its header tells.
        read: from a place in `names` to pixels, upright or as the labels mean them, uint8 `[h, w, 3]`; a `DataError`
            says why a picture cannot be read.
    """

    split: str
    names: list[str]
    originals: list[Original] = field(repr=False)
    lost: list[str] = field(repr=False)
    read: Callable[[int], np.ndarray] = field(repr=False)


def listed(
    source: str | Mapping[str, Mapping[str, Any]],
    split: str,
    *,
    path: str | Path | None = None,
    tasks: Iterable[str] | None = None,
    image_size: tuple[int, int] = (256, 256),
    joined: bool = False,
    **options: Any,
) -> Listed:
    """Return the pictures of a split in their order, with the pixels that `load` would resize.

    Args:
        source: as of `load`, and so are `path`, `joined` and the options.
        split: "train", "validation" or "test".
        tasks: the tasks of which the labels say which pictures there are; None for all.
        image_size: height and width in pixels, of pictures that are made to measure.

    Raises:
        DataError: the source cannot be read, or has no such split.
    """
    split = split_called(split)
    problems = Problems("skip")
    place, names = None if path is None else Path(path), None if tasks is None else tuple(tasks)
    request = Request(place, (split,), names, image_size, account=Account(problems))
    given = opened(source, request, options) if isinstance(source, str) else None
    given = given or several_opened(source, request, None, joined)  # type: ignore[arg-type]
    if split not in given.splits:
        raise DataError(f"The data has no split '{split}': it has {', '.join(given.splits)}.")
    samples = given.splits[split]
    fates = (fate for account in given.accounts for fate in account.files.items())
    lost = [fate.words for file, fate in fates if fate.what == LOST and Path(file).suffix.lower() in SUFFIXES]
    count = range(len(samples.shapes))
    originals = [samples.original(row) for row in count]
    return Listed(split, _names(samples, originals), originals, lost, lambda row: _pixels(samples, row))


def _names(samples: Split, originals: Sequence[Original]) -> list[str]:
    return [str(each.picture or samples.name(row)) for row, each in enumerate(originals)]


def _pixels(samples: Split, row: int) -> np.ndarray:
    try:
        return samples.read(tf.constant(row, tf.int64))["image"].numpy()
    except tf.errors.OpError:
        raise DataError(samples.diagnose(row)) from None
