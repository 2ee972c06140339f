"""What samples are called, files where there are some, by their place in a pass over a split."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from pipelines.contract import Split
from pipelines.epochs.order import Order


def names(order: Order, split: Split, batch_size: int, epoch: int, step: int) -> list[str]:
    """Return what the samples of a batch are called."""
    rows, _ = order(tf.constant(epoch, tf.int64))
    return [split.name(int(row)) for row in rows[step * batch_size : (step + 1) * batch_size]]


@dataclass
class Called:
    """What the samples of splits are called whose passes are all the same.

    Attributes:
        splits: by name.
        rows: the samples of each split that is read in one order.
    """

    splits: Mapping[str, Split]
    rows: dict[str, np.ndarray] = field(default_factory=dict)

    def __call__(self, split: str, place: int) -> str:
        """Return what a sample at a place of a split is called; "" of training, whose order changes."""
        rows = self.rows.get(split, ())
        return self.splits[split].name(int(rows[place])) if place < len(rows) else ""
