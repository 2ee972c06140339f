"""What `load` is given, but for the sources: checked at once, before anything is read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import kinds
from pipelines.accounts.account import Account
from pipelines.contract import Request
from pipelines.epochs.rules import LENGTHS
from pipelines.epochs.sampling import Sampling
from pipelines.errors import ON_ERROR, DataError, Problems, one_of
from pipelines.kinds.spec import LabelSpec
from pipelines.pixels.augmentation import Augmentation
from pipelines.pixels.rules import RESIZES
from pipelines.samples import composing
from pipelines.samples.batching import Batching
from pipelines.service import address
from pipelines.splits import in_order


@dataclass(frozen=True)
class Arguments:
    """The arguments of `load`, whose docstring explains them.

    Raises:
        DataError: one of them is not possible, or two do not go together.
    """

    image_size: tuple[int, int]
    batch_size: int
    path: str | Path | None
    splits: Iterable[str]
    tasks: Iterable[str] | None
    specs: tuple[LabelSpec, ...] | None
    augmentation: Mapping[str, Any] | None
    resize: str
    max_boxes: int
    cache: bool | str | Path
    fast_decode: bool
    shuffle: bool
    seed: int
    on_error: str
    sampling: str | Mapping[str, Any] | Sampling | None
    epoch: str | int
    replicas: int
    worker: tuple[int, int]
    service: str | None

    def __post_init__(self) -> None:
        height, width = self.image_size
        check_counts(batch_size=self.batch_size, max_boxes=self.max_boxes, height=height, width=width)
        one_of(self.resize, RESIZES, "resize")
        one_of(self.on_error, ON_ERROR, "on_error")
        _ = self.augment, self.mixing  # which are checked as they are made
        if isinstance(self.epoch, str):
            one_of(self.epoch, LENGTHS, "length of an epoch")
        else:
            check_counts(epoch=self.epoch)
        check_worker(self.worker, self.batch_size)
        if self.service is not None:
            address.parsed(self.service)
        if self.fast_decode and self.folder:
            raise DataError(f"fast_decode does not reach the packs in cache='{self.folder}': choose one of them.")

    @cached_property
    def augment(self) -> Augmentation:
        """What is done to training pictures."""
        return Augmentation.check(self.augmentation)

    @cached_property
    def mixing(self) -> Sampling:
        """How an epoch draws from several sources."""
        return Sampling.check(self.sampling or "proportional")

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images in pixels."""
        return int(self.image_size[0]), int(self.image_size[1])

    @property
    def folder(self) -> Path | None:
        """The folder of the packs that are the cache, or None."""
        return None if isinstance(self.cache, bool) else Path(self.cache)

    def request(self, problems: Problems) -> Request:
        """Return what is asked of the source, which tells `problems` of what is broken."""
        tasks = self.tasks
        if tasks is None and self.specs is not None:
            tasks = [spec.name for spec in self.specs]
        return Request(
            None if self.path is None else Path(self.path),
            in_order(self.splits),
            None if tasks is None else tuple(tasks),
            self.size,
            self.max_boxes,
            Account(problems),
            cache=self.folder,
            zoom=max(1.0, (self.augment.scale or (1.0, 1.0))[1]) if self.fast_decode else 0.0,
        )

    def batching(self, specs: tuple[LabelSpec, ...], training: bool, reduced: bool) -> Batching:
        """Return how samples become batches.

        Args:
            specs: of the labels.
            training: whether they are those of "train": moved at random, and in whole batches.
            reduced: whether pictures may be read smaller than they are placed.
        """
        return Batching(
            specs=specs,
            size=self.size,
            batch_size=self.batch_size,
            resize=self.resize,
            augmentation=composing.usable(map(kinds.of, specs), self.augment) if training else Augmentation(),
            seed=self.seed,
            drop_remainder=training,
            worker=self.worker,
            fill=self.replicas > 1,
            reduced=reduced,
        )


def check_worker(worker: tuple[int, int], batch_size: int) -> None:
    """Refuse a worker that is none of its number, or whose batches could not be of one size.

    Raises:
        DataError: it is, or they could not.
    """
    number, workers = worker
    if not 0 <= number < workers:
        raise DataError(f"worker is {worker!r}: expected (number, how many), the number from 0 to below how many.")
    if batch_size % workers:
        raise DataError(f"batch_size is {batch_size}, expected a multiple of the {workers} workers.")


def check_counts(**counts: int) -> None:
    """Refuse what is no whole number above 0, by its name.

    Raises:
        DataError: a count is none.
    """
    for name, count in counts.items():
        if not isinstance(count, int | np.integer) or isinstance(count, bool) or count < 1:
            raise DataError(f"{name} is {count!r}: expected a whole number above 0.")
