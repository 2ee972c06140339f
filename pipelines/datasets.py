"""What a pipeline yields: the data sets of each split, with what their labels mean."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import tensorflow as tf

from pipelines.accounts.account import Account
from pipelines.kinds.spec import LabelSpec
from pipelines.samples.showing import Example


class Seek(Protocol):
    """Makes the next pass over "train" that of an epoch, without its first batches."""

    def __call__(self, epoch: int, step: int = 0) -> None:
        """Seek an epoch, and in it a step."""


def _stay(epoch: int, step: int = 0) -> None:
    """Seek nothing: every pass over these data sets is the same."""


def _no_report(epoch: int) -> dict[str, float]:
    """Report nothing: there is one source."""
    return {}


def _unnamed(epoch: int, step: int) -> list[str]:
    """Name nothing: no file is known."""
    return []


def _not_called(split: str, place: int) -> str:
    """Name nothing: no file is known."""
    return ""


def _unheard(epoch: int, losses: Mapping[str, float]) -> None:
    """Take no note: no fraction depends on the losses."""


def _unseen(count: int, size: tuple[int, int]) -> list[Example]:
    """Show nothing: nothing is read for training."""
    return []


def _uncounted(tasks: Sequence[str], count: int) -> dict[str, np.ndarray]:
    """Count nothing: nothing is read for training."""
    return {}


def _all_read() -> None:
    """Read nothing: all was read."""


@dataclass
class Datasets:
    """The splits of one source, or of several, as `tf.data.Dataset`s of batches `(images, labels, weights)`.

    - `images`: uint8 `[B, H, W, 3]`, RGB.
    - `labels[name]`, by the kind of the label: classification int32 `[B]`; multi_label float32 `[B, C]` of 0 and 1, or
      -1 where it is unknown; detection `{"boxes": float32 [B, M, 4], "classes": int32 [B, M]}`, boxes as `x_min, y_min,
      x_max, y_max` in pixels of the image, where rows of class -2 (regions to ignore) follow the objects and rows of
      class -1 (padding) come last; segmentation int32 `[B, H, W]`, 255 = ignore; depth float32 `[B, H, W]` in metres,
      0 or NaN = unknown.
    - `weights[name]`: float32 `[B]`: 1 where the image is labelled for this task, 0 where not.

    Attributes:
        splits: split name -> data set, of the splits that are there.
        specs: what the labels mean.
        sizes: split name -> number of images.
        skipped: with `on_error="skip"`, a sentence for each image or box left out.
        by_source: of several sources, split name -> source -> number of images.
        accounts: of each source of files, what became of every file and annotation: `account.balance()` sums it up.
        seek: `seek(epoch, step=0)` makes the next pass over `train` that of this epoch without its first `step`
            batches, both from 0, for a resumed training; nothing of these is read. Such a pass still claims the length
            of a whole one: who reads on behind its last batch is told that batches are missing.
        observe: `observe(epoch, {task: loss})` tells what an epoch's losses were, for sampling by `curriculum`.
        report: `report(epoch)` returns, of several sources, what an epoch took: `share/<source>`, and
            `labelled/<task>`, the fraction of its samples that are labelled for a task.
        names: `names(epoch, step)` returns what the samples of a training batch are called, files where there are some.
        called: `called(split, place)` returns what a sample of another split than "train" is called, by its place in a
            pass over it, from 0; "" where that is not known.
        examples: `examples(count, size)` returns at most so many samples of "train", spread over it: whole pictures in
            a height and width, and their labels, before anything is done to them. One that cannot be used is left out.
        amounts: `amounts(tasks, count)` returns by task how many of each class at most so many samples of "train" have,
            spread over it, in the unit of its kind: float `[C]`. Labels alone are read.
        verify: `verify()` reads every sample that was not checked yet, where files are so many that each is checked
            when it is first met. A broken one raises, or is left out: `skipped` and `sizes` are then up to date.
    """

    splits: dict[str, tf.data.Dataset]
    specs: tuple[LabelSpec, ...]
    sizes: dict[str, int]
    skipped: list[str] = field(default_factory=list)
    by_source: dict[str, dict[str, int]] = field(default_factory=dict)
    accounts: tuple[Account, ...] = field(default=(), repr=False)
    seek: Seek = field(default=_stay, repr=False)
    observe: Callable[[int, Mapping[str, float]], None] = field(default=_unheard, repr=False)
    report: Callable[[int], dict[str, float]] = field(default=_no_report, repr=False)
    names: Callable[[int, int], list[str]] = field(default=_unnamed, repr=False)
    called: Callable[[str, int], str] = field(default=_not_called, repr=False)
    examples: Callable[[int, tuple[int, int]], list[Example]] = field(default=_unseen, repr=False)
    amounts: Callable[[Sequence[str], int], dict[str, np.ndarray]] = field(default=_uncounted, repr=False)
    verify: Callable[[], None] = field(default=_all_read, repr=False)

    @property
    def parts(self) -> dict[str, dict[str, int]]:
        """What `by_source` was called in version 0.1.0."""
        return self.by_source

    @property
    def train(self) -> tf.data.Dataset | None:
        """The training split, or None."""
        return self.splits.get("train")

    @property
    def validation(self) -> tf.data.Dataset | None:
        """The validation split, or None."""
        return self.splits.get("validation")

    @property
    def test(self) -> tf.data.Dataset | None:
        """The test split, or None."""
        return self.splits.get("test")
