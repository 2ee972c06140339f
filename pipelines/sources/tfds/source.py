"""TFDS data sets by name: pictures with the labels of as many tasks as the data set has."""

from collections.abc import Mapping

import numpy as np

from pipelines.contract import Request, Source, Split
from pipelines.errors import DataError, MissingSplitError, one_of
from pipelines.kinds.following import presence
from pipelines.kinds.spec import LabelSpec
from pipelines.sources.tfds import adapters
from pipelines.sources.tfds.examples import Examples
from pipelines.sources.tfds.records import Prepared
from pipelines.splits import SPLITS


def tfds(
    request: Request,
    name: str = "",
    slices: Mapping[str, str] | None = None,
    labels: Mapping[str, Mapping] | None = None,
    image: str = "image",
    check: str = "full",
) -> Source:
    """Read a TFDS data set that is prepared in `path`: oxford_iiit_pet, voc, coco/2017, nyu_depth_v2, ...

    Nothing is downloaded: where the data set is missing, the message has the command that prepares it once. Every
    example is looked at once, for its size and its boxes, and is read by its number from then on, from array_record
    files as from TFRecord files.

    Boxes may stick out of their image by 2 pixels, and are clipped; objects that the data set marks as crowd, difficult
    or invalid are ignored (class -2), and count as present.

    Args:
        request: what `pipelines.load` asks for; its path is TFDS's data_dir, and None its default.
        name: of the data set; `adapters.ADAPTERS` has those that are known.
        slices: by split, the part of the data set that it is, as `{"train": "train[:80%]"}`; None for the usual ones.
        labels: what the features of another data set mean; `tfds_adapters` shows how.
        image: with `labels`, the feature that is the picture.
        check: "full" decodes every example when loading; "headers" does not, and ignores mask values that are no class.
    """
    if not name:
        raise DataError(f"Source 'tfds' needs a name: {', '.join(sorted(adapters.ADAPTERS))}, or another.")
    one_of(check, ("full", "headers"), "check")
    adapter = adapters.get(name) if labels is None else adapters.declared(labels, image)
    parts = _parts(request, name, adapter.splits if slices is None else slices)
    data = Prepared(name, request.path, adapter.manual)
    specs = request.choose([LabelSpec(task, label.kind, label.classes(data)) for task, label in adapter.labels.items()])
    chosen = {spec.name: adapter.labels[spec.name] for spec in specs}
    splits = {}
    for split, part in parts.items():
        examples = Examples(data, part, adapter, chosen, request.problems)
        if not len(examples.rows):
            raise DataError(f"Split '{split}' is empty: '{part}' of '{name}' has no usable example.")
        splits[split] = Split(
            np.array([row.shape for row in examples.rows], np.int32),
            examples.reader(specs, request.max_boxes, check == "headers"),
            presence(specs),
            examples.diagnose,
            trusted=check == "headers",
            encoded=examples.encoded,
        )
    return Source(specs, splits, place=data.place)


def _parts(request: Request, name: str, slices: Mapping[str, str]) -> dict[str, str]:
    """Return the parts of the data set that were asked for, by split."""
    for split in slices:
        one_of(split, SPLITS, "split in slices:")
    for split in request.splits:
        if split not in slices and (split == "train" or not set(slices) & set(request.splits)):
            raise MissingSplitError(
                f"TFDS data set '{name}' has no labelled split '{split}'; it has: {', '.join(slices)}."
            )
    return {split: slices[split] for split in request.splits if split in slices}
