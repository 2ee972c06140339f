"""`load`: from the name of a source to data sets that are ready for `model.fit`."""

import functools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.arguments import Arguments
from pipelines.contract import Request, Source, Split
from pipelines.datasets import Datasets
from pipelines.epochs.balanced import Balanced, repeat_factors, tell
from pipelines.epochs.order import Mixture, in_turn, shuffled
from pipelines.epochs.sampling import Sampling
from pipelines.errors import DataError, Problems, one_of
from pipelines.joining.mapping import mapper
from pipelines.joining.opening import opened, several_opened
from pipelines.kinds.spec import LabelSpec
from pipelines.samples import counting
from pipelines.samples.batching import Clock
from pipelines.samples.meeting import Meeting
from pipelines.samples.naming import Called, names
from pipelines.samples.preparing import prepare
from pipelines.samples.showing import examples
from pipelines.service.client import Service
from pipelines.splits import SPLITS

MEMORY = 2 * 10**9  # bytes that samples kept in memory may take


def load(
    source: str | Mapping[str, Mapping[str, Any]],
    image_size: tuple[int, int] = (256, 256),
    batch_size: int = 8,
    *,
    path: str | Path | None = None,
    splits: Iterable[str] = SPLITS,
    tasks: Iterable[str] | None = None,
    specs: Iterable[LabelSpec] | None = None,
    augmentation: Mapping[str, Any] | None = None,
    resize: str = "stretch",
    max_boxes: int = 100,
    cache: bool | str | Path = True,
    fast_decode: bool = False,
    shuffle: bool = True,
    seed: int = 0,
    on_error: str = "stop",
    sampling: str | Mapping[str, Any] | Sampling | None = None,
    epoch: str | int = "longest",
    replicas: int = 1,
    worker: tuple[int, int] = (0, 1),
    joined: bool = False,
    service: str | None = None,
    **options: Any,
) -> Datasets:
    """Load labelled images, of one source or of several.

    The samples are read once here: what is broken is told now and not in the middle of an epoch, and what fits is kept.
    Of very many files the headers alone are read here, and each is checked when it is first met: training begins at
    once, and a broken file ends the epoch with its sentence. The option `check` of sources of files says which.

    Of several sources, tasks of one name are one task, whose classes are merged by name; a task that a source does not
    label has weight 0 for its images. Other splits than "train" are all images, one source after the other.

    Args:
        source: one of `pipelines.names()`, or a folder whose format is recognised; or several, `{name: {"source": ...,
            "path": ..., "options": {...}, "tasks": ..., "classes": ...}}`, the last four if needed. `tasks` lists the
            source's tasks to take, or maps them to other names. `classes` maps its class names to those of the merged
            list, or to None: such objects are regions to ignore, such pixels are ignored, images of such a class are
            not labelled.
        image_size: height and width of the images in pixels.
        batch_size: images in a batch. In training every batch is whole; in evaluation the last may be smaller.
        path: the folder (or CSV file), of a source that reads one.
        splits: which of "train", "validation" and "test" to load. "train" must be there if asked for, and so must a
            split asked for alone; others that are not there are left out.
        tasks: names of the tasks whose labels to load; None for all there are.
            Of several sources, one that labels none of them is left out.
        specs: the classes expected, as of a trained model: labels are mapped to them by name. None for the source's
            own.
        augmentation: of the training split, as `{"flip": True, "scale": [0.75, 1.5], "colour": 0.2}`; `Augmentation`
            explains the keys. None for none.
        resize: "stretch" fills the image; "letterbox" keeps the proportions, centres the picture and surrounds it with
            grey (ignored in masks, unknown in depth).
        max_boxes: rows of boxes per image. Of more objects the largest are kept, and a warning says so.
        cache: keep samples in memory, all splits together up to 2 GB: at `image_size`, or as decoded where zooming
            needs the whole picture. Or a folder: the source is packed into it once (see `pipelines.pack`), and read
            from there until its files change; for data that memory does not hold, and to start at once the next time.
            The batches are the same each way.
        fast_decode: decode JPEG files at a half, a quarter or an eighth of their sides where they still are as large as
            is needed: photographs of several times `image_size` cost less, and are averaged where they would be
            sampled. Not of packs and TFDS.
        shuffle: whether each epoch over "train" has an order of its own. Several sources are always shuffled.
        seed: of the order and the augmentation: the same seed gives the same batches, epoch by epoch.
        on_error: "stop" raises at the first broken sample or box; "skip" leaves them out and lists them in `skipped`.
            One that is found broken in an epoch is grey from then on, with weight 0 for every task.
        sampling: how an epoch draws from several sources, a method or `{"method": ..., option: value}`; `Sampling`
            explains them. None for "proportional".
        epoch: how long an epoch over several sources is; `Mixture` explains "longest" and "shortest". A number is
            batches.
        replicas: devices that share a batch. With several, a last, smaller batch of evaluation is filled up with
            samples of weight 0: a device that got none of it could not run.
        worker: of several workers, each with a process of its own, the number of this one and how many there are. It
            reads its part of every batch, of `batch_size` over all, decodes nothing else, and no sample is read twice
            or by none; a last, smaller batch of evaluation is filled up with samples of weight 0, so that all have as
            many. Under tf.distribute give its data sets to `strategy.distribute_datasets_from_function`.
        joined: several sources label the same pictures, which are matched by the names of their files: each picture
            comes once, with the labels of all. Splits are those of the sources that have some.
        service: the address of a tf.data service, `grpc://host:port`, whose data workers make the batches, the same in
            the same order; they must see the files under the same paths, and start by `visionmtl data serve`. Nothing
            is kept in memory, and every sample of loose files is checked here, before the first batch. What Python
            reads, as pictures in Pillow's formats and polygons, must be packed before, as by `cache`.
        **options: of the source; `visionmtl list sources` has them.

    Returns:
        The data sets, what their labels mean, and how many images each has.

    Raises:
        DataError: something is wrong with the data or with an argument; the message names the file and the field.

    Example:
        >>> data = load("data/camvid")  # doctest: +SKIP
        >>> data = load("garments", image_size=(128, 128), batch_size=32)  # doctest: +SKIP
        >>> model.fit(data.train, validation_data=data.validation, shuffle=False)  # doctest: +SKIP

        >>> streets = {"source": "coco", "path": "data/camvid"}
        >>> cells = {"source": "voc", "path": "data/bccd", "tasks": ["detection"]}
        >>> data = load({"streets": streets, "cells": cells}, sampling="uniform")

        >>> weather = {"source": "csv", "path": "data/weather.csv", "tasks": {"classification": "weather"}}
        >>> data = load({"streets": streets, "weather": weather}, joined=True)  # doctest: +SKIP
    """
    given = Arguments(
        image_size=image_size,
        batch_size=batch_size,
        path=path,
        splits=splits,
        tasks=tasks,
        specs=None if specs is None else tuple(specs),
        augmentation=augmentation,
        resize=resize,
        max_boxes=max_boxes,
        cache=cache,
        fast_decode=fast_decode,
        shuffle=shuffle,
        seed=seed,
        on_error=on_error,
        sampling=sampling,
        epoch=epoch,
        replicas=replicas,
        worker=worker,
        service=service,
    )
    problems, making_batches = Problems(on_error), None if service is None else Service(service)
    read, learnt = _open(source, given.request(problems), given.specs, options, joined)
    alone = source if isinstance(source, str) else "joined" if joined else None
    making = _Making(given, read, learnt, problems, alone, making_batches)
    for split in read.splits:
        making.add(split)
    return making.result


class _Making:
    """The data sets of one call of `load` in the making.

    Args:
        given: what it was given.
        opened: the source, or several as one.
        specs: what the labels are to be.
        problems: told of what is broken.
        alone: the name of the source, if it is one.
        service: whose data workers make the batches, or None.
    """

    def __init__(
        self,
        given: Arguments,
        opened: Source,
        specs: tuple[LabelSpec, ...],
        problems: Problems,
        alone: str | None,
        service: Service | None,
    ):
        self.given, self.opened, self.specs, self.problems, self.alone = given, opened, specs, problems, alone
        self.convert, self.clock = mapper(opened, specs), Clock()
        self.service = service
        self.room = MEMORY if given.cache is True and service is None else 0  # bytes that are left for samples
        self.meetings: list[Meeting] = []
        self.result = Datasets(
            {}, specs, {}, problems.skipped, seek=self.clock.seek, accounts=opened.accounts, verify=self.verify
        )
        self.result.called = self.called = Called(opened.splits)

    def add(self, name: str) -> None:
        """Make the data set of one split, reading its samples once."""
        given, split, training = self.given, self.opened.splits[name], name == "train"
        batching = given.batching(self.specs, training, split.ratios is not None)
        lost = functools.partial(self._lost, name)
        prepared = prepare(
            split, batching, self.convert, self.problems, self.room, given.max_boxes, lost, now=self.service is not None
        )
        rows, meeting = prepared.rows, prepared.meeting
        self.room -= prepared.kept
        self.meetings += [meeting] if meeting else []
        self.result.sizes[name] = len(rows)
        self._check_size(name)
        count, order = len(rows), shuffled(rows, given.seed) if given.shuffle and training else in_turn(rows)
        members = _members(rows, split)
        if members:
            self.result.by_source[name] = {key: len(own) for key, own in members.items()}
        if training and (given.sampling or self.alone is None):
            mixture = self._mixture(split, rows, members, meeting)
            order, count = mixture.order, mixture.steps * given.batch_size
            self.result.observe, self.result.report = mixture.observe, mixture.report
        if training:
            self.result.names = functools.partial(names, order, split, given.batch_size)
            self.result.examples = functools.partial(examples, split, rows, self.specs, self.convert)
            self.result.amounts = functools.partial(counting.totals, split, rows, self.specs, self.convert)
        else:
            self.called.rows[name] = rows
        self.result.splits[name] = batching.dataset(
            order, count, split, prepared.reader, self.clock if training else None, self.service
        )

    def _check_size(self, name: str) -> None:
        """Refuse a split that is too small, be it that so much of it was left out."""
        size, least = self.result.sizes[name], self.given.batch_size if name == "train" else 1
        if size < least:
            raise DataError(
                f"Split '{name}' has {size} usable images, fewer than one batch of {self.given.batch_size}."
                f"{self.problems.first}"
            )

    def verify(self) -> None:
        """Read every sample that was not met yet."""
        for meeting in self.meetings:
            meeting.verify()

    def _lost(self, name: str, index: int) -> None:
        """Count a sample of a split no more."""
        self.result.sizes[name] -= 1
        members = self.opened.splits[name].members
        if members:
            place = int(np.searchsorted(np.cumsum(list(members.values())), index, side="right"))
            self.result.by_source[name][list(members)[place]] -= 1
        self._check_size(name)

    def _mixture(
        self, split: Split, rows: np.ndarray, members: dict[str, np.ndarray], meeting: Meeting | None
    ) -> Mixture:
        """Return the order of epochs over the members of several sources, or over one for its tasks in turn."""
        learnt, labelled = tuple(spec.name for spec in self.specs), self.opened.members
        if not members:
            members, labelled = {str(self.alone): rows}, {str(self.alone): learnt}
        given, whole = self.given, functools.cache(functools.partial(counting.weights, split, self.convert, self.specs))

        def weights() -> np.ndarray:
            return whole() if meeting is None else whole() * meeting.usable[:, None]

        made = members, labelled, learnt, given.mixing, given.batch_size, given.epoch, given.seed, weights
        if given.mixing.method != "balanced":
            return Mixture(*made)
        amounts = counting.amounts(split, np.concatenate(list(members.values())), self.specs, self.convert)
        factors, of_classes = repeat_factors(amounts, given.mixing.threshold)
        tell(self.specs, of_classes, factors)
        return Balanced(factors, *made)


def _open(
    source: str | Mapping[str, Mapping[str, Any]],
    request: Request,
    expected: tuple[LabelSpec, ...] | None,
    options: Mapping[str, Any],
    joined: bool,
) -> tuple[Source, tuple[LabelSpec, ...]]:
    """Open one source or several; return it, or all as one, and what its labels are to be."""
    if isinstance(source, str):
        if joined:
            raise DataError(f"joined is of several sources, not of '{source}' alone.")
        alone = opened(source, request, options)
        if expected is None:
            return alone, alone.specs
        known = {spec.name: spec for spec in expected}
        return alone, tuple(known[one_of(spec.name, known, "task of the specs given")] for spec in alone.specs)
    if request.path is not None or options:
        extra = request.path or ", ".join(options)
        raise DataError(f"Of several sources each has its own path and options; '{extra}' beside them is extra.")
    several = several_opened(source, request, expected, joined)
    return several, several.specs


def _members(rows: np.ndarray, split: Split) -> dict[str, np.ndarray]:
    """Part the good samples of several sources by source; of one source, nothing."""
    ends = np.cumsum([0, *split.members.values()])
    pairs = zip(split.members, ends[:-1], ends[1:], strict=True)
    return {name: rows[(rows >= start) & (rows < end)] for name, start, end in pairs}
