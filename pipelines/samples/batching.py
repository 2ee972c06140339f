"""From samples to batches: the draws of an epoch, then pixels sample by sample and labels batch by batch."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from pipelines import kinds
from pipelines.contract import Split, Tree
from pipelines.epochs.order import FOR_ALL, FOR_NONE, Order
from pipelines.kinds.kind import Kind
from pipelines.kinds.spec import LabelSpec
from pipelines.pixels import geometry
from pipelines.pixels.augmentation import Augmentation, recolour
from pipelines.pixels.geometry import Placement
from pipelines.samples.arranging import Arranging
from pipelines.samples.composing import Composer, knowing
from pipelines.samples.memory import Reader
from pipelines.samples.placing import place
from pipelines.service.client import Service
from pipelines.service.numbered import Numbered, Traced


@dataclass
class Clock:
    """Counts the passes over a data set, of which the next may begin in its middle."""

    epoch: int = 0
    step: int = 0

    def seek(self, epoch: int, step: int = 0) -> None:
        """Make the next pass that of `epoch` without its first `step` batches, both counted from 0."""
        self.epoch, self.step = epoch, step

    def tick(self) -> np.ndarray:
        """Return the number of this pass and of its first batch, int64 `[2]`, and count on."""
        now = np.array([self.epoch, self.step], np.int64)
        self.epoch, self.step = self.epoch + 1, 0
        return now


@dataclass(frozen=True)
class Batching:
    """How samples of any size become batches of one.

    Args:
        specs: of the labels.
        size: height and width of the images in pixels.
        batch_size: images in a batch.
        resize: "stretch" or "letterbox".
        augmentation: what is done to the pictures at random.
        seed: of what is done to the pictures.
        drop_remainder: whether a last, smaller batch is left out.
        worker: the number, from 0, of the worker that reads its sub-batch of every batch, and how many there are.
        fill: whether a last, smaller batch is filled up, as it always is for several workers.
        reduced: whether pictures may be read smaller than they are placed.
    """

    specs: tuple[LabelSpec, ...]
    size: tuple[int, int]
    batch_size: int
    resize: str = "stretch"
    augmentation: Augmentation = field(default_factory=Augmentation)
    seed: int = 0
    drop_remainder: bool = False
    worker: tuple[int, int] = (0, 1)
    fill: bool = False
    reduced: bool = False

    @property
    def label_kinds(self) -> dict[str, Kind]:
        """The kind of each task's labels."""
        return {spec.name: kinds.of(spec) for spec in self.specs}

    def draws(self, order: Order, shapes: np.ndarray) -> Callable[[tf.Tensor], Tree]:
        """Return the function from an epoch's number to its draws: the order and what is done to each sample, one row
        each.

        Everything random is drawn here, from the seed, the epoch and the place in it alone.

        Args:
            order: the samples of each epoch.
            shapes: int32 `[N, 2]`, height and width of all samples.
        """
        shapes = tf.constant(shapes, tf.int32)

        def draw(epoch: tf.Tensor) -> Tree:
            rows, turns = order(epoch)
            seed = tf.random.split([tf.constant(self.seed, tf.int64), epoch], 2)[1]
            uniform = self.augmentation.draw(seed, rows.shape[0])
            shape = tf.gather(shapes, rows)
            placement = geometry.whole(shape, self.size, self.resize)
            factor, position = self.augmentation.zooms(uniform)
            if self.augmentation.scale:
                placement = geometry.zoom(placement, self.size, factor, position)
            placement = placement._replace(flip=self.augmentation.flips(uniform), turn=self.augmentation.turns(uniform))
            known = {"shape": shape, "placement": placement, "zoom": factor}
            if self.augmentation.recolours:
                known["colours"] = self.augmentation.colours(uniform)
            if self.augmentation.composes:
                known |= Arranging(
                    self.augmentation, {"index": rows, **known}, epoch, seed, self.size, self.resize
                ).all()
            return {"index": rows, "turn": turns, **known}

        return draw

    def own(self, drawn: Tree, batches: int) -> Tree:
        """Return those of an epoch's draws that are this worker's: of every batch a stretch as long as the others'.

        A last batch that is smaller is filled up for all workers alike, with its last sample drawn for no task.
        """
        number, workers = self.worker
        if workers == 1 and not self.fill:
            return drawn
        total = batches * self.batch_size
        more = max(0, total - drawn["index"].shape[0])
        drawn = {**drawn, "turn": tf.concat([drawn["turn"], tf.fill([more], FOR_NONE)], axis=0)}

        def dealt(rows: tf.Tensor) -> tf.Tensor:
            rows = tf.concat([rows, tf.repeat(rows[-1:], total - rows.shape[0], axis=0)], axis=0) if more else rows
            hands = tf.reshape(rows[:total], [batches, workers, -1, *rows.shape[1:]])
            return tf.reshape(hands[:, number], [total // workers, *rows.shape[1:]])

        return tf.nest.map_structure(dealt, drawn)

    def place(self, sample: Tree, placement: Placement, shape: tf.Tensor) -> Tree:
        """Take image and maps of one sample to their place; boxes and mirroring are left for later.

        Args:
            sample: as a source reads it.
            placement: where to.
            shape: height and width int32 `[2]` of the picture.
        """
        read, turned = shape if self.reduced else None, self.augmentation.turned
        return place(sample, self.label_kinds, placement, self.size, turned, read)

    def place_whole(self, sample: Tree, shape: tf.Tensor) -> Tree:
        """Take one sample, whole and with its boxes, to its place, as is done once for what is kept in memory."""
        placement = geometry.whole(shape, self.size, self.resize)
        sample = self.place(sample, placement, shape)
        alone = Placement(*(values[None] for values in placement))  # a batch of one
        for name, kind in self.label_kinds.items():
            label = tf.nest.map_structure(lambda x: x[None], sample["labels"][name])
            label = kind.move(label, alone, self.size, cut=None, turned=False)
            sample["labels"][name] = tf.nest.map_structure(lambda x: x[0], label)
        return sample

    def vary(self, sample: Tree, drawn: Tree) -> Tree:
        """Recolour and mirror image and maps of one sample that are in place."""
        image, labels = sample["image"], dict(sample["labels"])
        if self.augmentation.recolours:
            image = recolour(image, *drawn["colours"])
        if self.augmentation.flip:
            flip = drawn["placement"].flip
            image = geometry.mirror(image, flip)
            for name, kind in self._with_maps():
                labels[name] = kind.mirror(labels[name], flip)
        return {**sample, "image": image, "labels": labels}

    def finish(self, batch: Tree, drawn: Tree, follow: Callable | None) -> tuple[tf.Tensor, Tree, Tree]:
        """Turn stacked samples whose pixels are done into `(images, labels, weights)`."""
        augmentation, placement = self.augmentation, drawn["placement"]
        cut, turned = augmentation.cut if augmentation.moves else None, augmentation.turned
        zoom = drawn["zoom"] if augmentation.scale else None
        if augmentation.composes:  # all is in place, but that it may be mirrored
            cut, turned, zoom = None, False, None
            placement = geometry.whole(tf.broadcast_to(self.size, [*placement.flip.shape, 2]), self.size, self.resize)
            placement = placement._replace(flip=drawn["placement"].flip)
        labels = dict(batch["labels"])
        for name, kind in self.label_kinds.items():
            moved = kind.move(labels[name], placement, self.size, cut, turned)
            labels[name] = kind.finish(moved, zoom)
        if cut is not None and follow:
            labels = follow(batch["labels"], labels, {spec.name: spec for spec in self.specs}, drawn["index"])
        turn, weights = drawn["turn"], batch["weights"]
        for number, spec in enumerate(self.specs):  # a sample drawn for one task counts for no other
            weights = {**weights, spec.name: tf.where((turn == FOR_ALL) | (turn == number), weights[spec.name], 0.0)}
        return batch["image"], labels, weights

    def dataset(
        self,
        order: Order,
        count: int,
        split: Split,
        reader: Reader,
        clock: Clock | None,
        service: Service | None = None,
    ) -> tf.data.Dataset:
        """Build the data set of one split.

        Args:
            order: which samples each epoch yields.
            count: how many it yields.
            split: where they come from.
            reader: reads them.
            clock: tells the epochs apart; None where every pass is the same.
            service: whose data workers make its batches; None to have them made here.
        """
        batches = count // self.batch_size if self.drop_remainder else -(-count // self.batch_size)
        graph = tf.autograph.experimental.do_not_convert  # there is nothing to convert, and looking takes its time
        part = self.batch_size // self.worker[1]
        whole = self.draws(order, np.broadcast_to(self.size, split.shapes.shape) if reader.placed else split.shapes)

        def draws(now: tf.Tensor) -> Tree:
            first = now[1] * part
            drawn = tf.nest.map_structure(lambda rows: rows[first:], self.own(whole(now[0]), batches))
            return knowing(drawn, reader)

        composer = Composer(self.label_kinds, self.augmentation, self.size, self.reduced, reader, split.follow)

        def sampled(drawn: Tree) -> tuple[Tree, Tree]:
            if self.augmentation.composes:
                return self.vary(composer.compose(drawn), drawn), drawn
            sample = reader.read(drawn["index"], *([drawn["known"]] if reader.known else []))
            if not reader.placed:
                sample = self.place(sample, drawn["placement"], drawn["shape"])
            return self.vary(sample, drawn), drawn

        def finished(batch: Tree, drawn: Tree) -> tuple[tf.Tensor, Tree, Tree]:
            complete = batch if self.augmentation.composes else reader.complete(batch, drawn["index"])
            return self.finish(complete, drawn, split.follow)

        if service is not None:
            once = Traced(sampled, finished, part, self.drop_remainder)

            def numbered(epoch: int) -> Numbered:
                drawn = self.own(whole(tf.constant(epoch, tf.int64)), batches)
                return Numbered(batches, functools.partial(once.batches, drawn))

            return _unsharded(service.dataset(numbered, clock.tick if clock else None))
        if clock is None and reader.known is None:
            epochs = tf.data.Dataset.from_tensor_slices(draws(tf.constant([0, 0], tf.int64)))
        else:
            tick = clock.tick if clock else lambda: np.zeros(2, np.int64)
            epochs = tf.data.Dataset.range(1).map(graph(lambda _: tf.numpy_function(tick, [], tf.int64)))
            slices = tf.data.Dataset.from_tensor_slices
            epochs = epochs.flat_map(graph(lambda now: slices(draws(tf.ensure_shape(now, [2])))))

        data = epochs.map(graph(sampled), num_parallel_calls=tf.data.AUTOTUNE)
        data = data.batch(part, drop_remainder=self.drop_remainder)
        data = data.map(graph(finished), num_parallel_calls=tf.data.AUTOTUNE)
        data = data.apply(tf.data.experimental.assert_cardinality(batches)).prefetch(tf.data.AUTOTUNE)
        return _unsharded(data)

    def _with_maps(self) -> list[tuple[str, Kind]]:
        """The tasks whose labels have maps; of samples from memory, pixels and maps are all there is at first."""
        return [(name, kind) for name, kind in self.label_kinds.items() if kind.maps]


def _unsharded(data: tf.data.Dataset) -> tf.data.Dataset:
    """Return a data set of which no worker is dealt files."""
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return data.with_options(options)
