"""The source "tfds": its options, and the slices of a data set that are its splits."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.contract import Request, Source, Split
from pipelines.errors import DataError, MissingSplitError, one_of
from pipelines.kinds.following import presence
from pipelines.kinds.spec import LabelSpec
from pipelines.sources.base import Format, option
from pipelines.sources.file_options import CHECKS
from pipelines.sources.tfds import adapters
from pipelines.sources.tfds.examples import Examples
from pipelines.sources.tfds.records import Prepared
from pipelines.splits import SPLITS


@dataclass(frozen=True)
class Tfds(Format):
    """TFDS data sets by name: pictures with the labels of as many tasks as the data set has.

    They are read as they were prepared in `path`, TFDS's data_dir: oxford_iiit_pet, voc, coco/2017, nyu_depth_v2, ...
    Nothing is downloaded: where the data set is missing, the message has the command that prepares it once. Every
    example is looked at once, for its size and its boxes, and is read by its number from then on, from array_record
    files as from TFRecord files.

    Boxes may stick out of their image by 2 pixels, and are clipped; objects that the data set marks as crowd, difficult
    or invalid are ignored (class -2), and count as present.
    """

    name: str = option("", "of the data set; `tfds.adapters.ADAPTERS` has those that are known")
    slices: Mapping[str, str] | None = option(
        None, "by split, the part of the data set that it is, as {train: 'train[:80%]'}; null for the usual ones"
    )
    labels: Mapping[str, Mapping] | None = option(
        None, "what the features of another data set mean; `tfds.adapters` shows how"
    )
    image: str = option("image", "with labels, the feature that is the picture")
    check: str = option(
        "auto",
        "full decodes every example when loading; auto does where that takes seconds, else checks each when it is "
        "first met; headers checks none: a mask value that is no class stops when it is met",
        CHECKS,
    )

    def read(self, request: Request) -> Source:
        """Look at every example once, and make it readable in graph."""
        if not self.name:
            raise DataError(f"Source 'tfds' needs a name: {', '.join(sorted(adapters.ADAPTERS))}, or another.")
        adapter = adapters.get(self.name) if self.labels is None else adapters.declared(self.labels, self.image)
        slices = _slices(request, self.name, adapter.splits if self.slices is None else self.slices)
        data = Prepared(self.name, request.path, adapter.manual)
        there = [LabelSpec(task, label.kind, label.classes(data)) for task, label in adapter.labels.items()]
        specs = request.choose(there)
        chosen = {spec.name: adapter.labels[spec.name] for spec in specs}
        splits = {}
        for split, its in slices.items():
            examples = Examples(data, its, adapter, chosen, request.problems)
            if not len(examples.rows):
                raise DataError(f"Split '{split}' is empty: '{its}' of '{self.name}' has no usable example.")
            splits[split] = Split(
                np.array([row.shape for row in examples.rows], np.int32),
                examples.reader(specs, request.max_boxes, self.check == "headers"),
                presence(specs),
                examples.diagnose,
                trusted=self.check == "headers",
                encoded=examples.encoded,
                original=examples.original,
                patient=self.check == "auto",
            )
        return Source(specs, splits, place=data.place)


def _slices(request: Request, name: str, slices: Mapping[str, str]) -> dict[str, str]:
    """Return the slices of the data set that were asked for, by split."""
    for split in slices:
        one_of(split, SPLITS, "split in slices:")
    for split in request.splits:
        if split not in slices and (split == "train" or not set(slices) & set(request.splits)):
            raise MissingSplitError(
                f"TFDS data set '{name}' has no labelled split '{split}'; it has: {', '.join(slices)}."
            )
    return {split: slices[split] for split in request.splits if split in slices}
