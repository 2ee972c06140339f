"""The sizes that a training brings its batches to; a BalancedModel takes them as they are."""

import contextlib
from collections.abc import Hashable, Iterator
from typing import Any

from visionmtl.step.admission import Batch


class AsGiven:
    """Batches as they are given; a model that can train on smaller ones has a subclass.

    Attributes:
        all: what a training step is traced for, once each; None for batches as they are.
    """

    all: tuple[Hashable, ...] = (None,)

    def due(self, epoch: int) -> Any:
        """Return which of `all` an epoch is trained at, from 0."""
        return None

    @contextlib.contextmanager
    def taken(self, model: Any) -> Iterator[None]:
        """Have a model take batches of the size that is due, within, on the host."""
        yield

    def of(self, model: Any, batch: Batch) -> Batch:
        """Return a batch at the size that is due, in graph."""
        return batch

    def check(self, model: Any) -> None:
        """Raise UsageError if a model cannot be trained at one of the sizes."""
