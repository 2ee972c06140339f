"""The source "packed": the folders of TFRecord shards that `visionmtl data pack` writes."""

from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from pipelines.contract import Request, Source, Split, Tree
from pipelines.errors import DataError
from pipelines.kinds.following import presence
from pipelines.kinds.spec import LabelSpec
from pipelines.packs import catalogue, examples, shards
from pipelines.packs.catalogue import FOLLOWS, PackedSplit
from pipelines.packs.journal import JOURNAL
from pipelines.sources.base import Format, option
from pipelines.sources.files import layout
from pipelines.sources.files.labels import warn_of_cut
from pipelines.sources.layouts import Layout, has


@dataclass(frozen=True)
class Packed(Format):
    """Packs: TFRecord shards, a checksum for each, that `visionmtl data pack` wrote from another source.

    Tasks, classes and samples are those of that source, and so are the batches, unless some samples were left out. The
    folder may be taken elsewhere. While the files that it was packed from still lie where they were, they are looked
    at: if one was changed, added or removed since, that is an error. Reading all shards once takes about as long as the
    disk does; by their sizes alone, a damaged record is found when it is read.
    """

    layouts = (Layout("a pack", f"{catalogue.PACK} and *.tfrecord", (has(catalogue.PACK, JOURNAL),)),)

    verify: str = option(
        "full", "full reads all shards once and compares their checksums; size looks at their sizes", ("full", "size")
    )
    changed: str = option(
        "stop", "ignore takes the pack as it is, whatever became of the files that it was made from", ("stop", "ignore")
    )

    def read(self, request: Request) -> Source:
        """Read the list of contents, and check the shards of the splits asked for."""
        root = layout.folder(request.path, "packed", "that `visionmtl data pack` wrote")
        if not (root / catalogue.PACK).is_file():
            if (root / JOURNAL).is_file():
                raise DataError(f"'{root}' is the beginning of a pack: the same `visionmtl data pack` goes on with it.")
            raise DataError(f"Folder '{root}' is no pack: it has no {catalogue.PACK}.")
        pack = catalogue.read(root)
        change = None if self.changed == "ignore" else pack.origin.change()
        if change:
            raise DataError(
                f"'{pack.origin.root}' has changed since '{root}' was packed from it ({change}): pack it again, or set "
                "data.options.changed=ignore."
            )
        specs = request.choose(pack.specs)
        asked = layout.asked(root, pack.splits, request)
        shards.verify(root, [shard for split in asked.values() for shard in split.shards], self.verify == "full")
        splits = {name: _split(root, split, specs, request.max_boxes) for name, split in asked.items()}
        return Source(specs, splits, pack.absent)


def _split(root: Path, split: PackedSplit, specs: tuple[LabelSpec, ...], max_boxes: int) -> Split:
    """Make the samples of one split readable in graph."""
    files = [str(root / shard.file) for shard in split.shards]
    owner, starts = split.places()
    paths, owners, places = tf.constant(files), tf.constant(owner), tf.constant(starts)
    for spec in specs:
        if spec.name in split.objects:
            counts = split.objects[spec.name]
            warn_of_cut(int((counts > max_boxes).sum()), len(counts), max_boxes)

    def record(index: tf.Tensor) -> tf.Tensor:
        return shards.fetch(paths[owners[index]], places[index])

    def read(index: tf.Tensor) -> Tree:
        return examples.read(record(index), specs, max_boxes)

    return Split(
        split.shapes,
        read,
        FOLLOWS[split.follow] if split.follow and presence(specs) else None,
        lambda index: f"Shard '{files[owner[index]]}' is damaged: it has no sample '{split.names[index]}' any more.",
        trusted=True,  # every sample was read when it was packed
        name=split.names.__getitem__,
        encoded=lambda index: examples.encoded(record(tf.constant(index)).numpy()),
    )
