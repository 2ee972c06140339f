"""How the samples of a split are read from now on: from memory or from files, checked beforehand or as they are met."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from pipelines.contract import Split, Tree
from pipelines.errors import Problems
from pipelines.samples.batching import Batching
from pipelines.samples.meeting import Meeting, is_much
from pipelines.samples.memory import Memory, Reader
from pipelines.samples.reading import compiled, visit


@dataclass(frozen=True)
class Prepared:
    """The samples of a split, ready to be read.

    Attributes:
        rows: int64 indices of those that are good as far as is known.
        reader: reads them.
        kept: bytes that they take in memory.
        meeting: what is known of each, where they are checked as they are met.
    """

    rows: np.ndarray
    reader: Reader
    kept: int = 0
    meeting: Meeting | None = None


def prepare(
    split: Split,
    batching: Batching,
    convert: Callable[[Tree], Tree],
    problems: Problems,
    room: int,
    boxes: int,
    lost: Callable[[int], None],
    now: bool = False,
) -> Prepared:
    """Read all samples of a split once, to check them and, if there is room, to keep them; or have it done later.

    Args:
        split: the split.
        batching: what is made of its samples.
        convert: changes the labels of a sample, in graph.
        problems: told of each sample that cannot be used.
        room: bytes of memory that samples may take.
        boxes: rows of boxes per image.
        lost: called with the index of each sample that is left out later.
        now: whether all are checked at once, however many they are.
    """

    def read(index: tf.Tensor) -> Tree:
        return convert(split.read(index))

    later, everything = not now and split.patient and is_much(split), np.arange(len(split.shapes))
    placed = not batching.augmentation.moves
    if room > 0:
        known = tf.constant(split.shapes, tf.int32)

        def whole(index: tf.Tensor) -> Tree:
            return batching.place_whole(read(index), tf.gather(known, index)) if placed else read(index)

        once, size = compiled(whole), np.broadcast_to(batching.size, split.shapes.shape)
        shapes = (size, size) if placed else (split.shapes, split.read_shapes)
        memory = Memory(once.structured_outputs, batching.specs, *shapes)
        if memory.nbytes <= room:
            memory.allocate()
            if later:
                at = batching.size if placed else None
                meeting = Meeting(split, whole, batching.specs, problems, boxes, lost, memory, at)
                return Prepared(everything, meeting.reader(), memory.nbytes, meeting)
            rows = visit(split, once, batching.specs, problems, memory)
            return Prepared(rows, memory.freeze(placed), memory.nbytes)
    if later:
        meeting = Meeting(split, read, batching.specs, problems, boxes, lost)
        return Prepared(everything, meeting.reader(), meeting=meeting)
    rows = everything if split.trusted else visit(split, compiled(read), batching.specs, problems)
    return Prepared(rows, Reader(read))
