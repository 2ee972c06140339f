"""What a source is asked for and what it gives: splits whose samples are read inside the TensorFlow graph."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow as tf

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree as Files
from pipelines.errors import DataError, Problems
from pipelines.kinds.spec import LabelSpec

if TYPE_CHECKING:
    from pipelines.sources.files.entries import Annotation
    from pipelines.sources.files.orientation import Orientation

Tree = dict  # of tensors, nested


@dataclass(frozen=True)
class Request:
    """What is asked of a source.

    Attributes:
        path: the folder or file that it reads, if it reads one.
        splits: those to read.
        tasks: names of the tasks whose labels to read; None means all there are.
        image_size: height and width in pixels, of pictures that are made to measure; default 384, 512.
        max_boxes: rows of boxes per image; default 10,000.
        account: told of what becomes of each file and annotation, of what is broken too.
        member: whether it is asked of one of several sources, so that its splits need not all be there, and what has no
            splits is divided even if one split alone is asked for.
        cache: the folder that keeps what was read, or None.
        zoom: JPEG files may be decoded smaller if they still are as large as `image_size` times this; 0: none may.
        pooled: all splits that are there are read, whichever they are, and what has none is not divided.
        lists: of each split the text file that lists its images, where the data itself is not to say so.
    """

    path: Path | None
    splits: tuple[str, ...]
    tasks: tuple[str, ...] | None
    image_size: tuple[int, int] = (384, 512)
    max_boxes: int = 10_000
    account: Account = field(default_factory=Account)
    member: bool = False
    cache: Path | None = None
    zoom: float = 0.0
    pooled: bool = False
    lists: Mapping[str, Path] | None = None

    @property
    def problems(self) -> Problems:
        """What is told of all that is broken."""
        return self.account.problems

    @cached_property
    def files(self) -> Files:
        """All files beneath `path`, walked once."""
        return Files.of(self.path) if self.path is not None else Files(Path(), {})

    @property
    def one_alone(self) -> bool:
        """Whether one split is asked for, whatever others the data may have."""
        return len(self.splits) == 1 and not self.member

    def wants(self, task: str) -> bool:
        """Whether the labels of this task are to be read."""
        return self.tasks is None or task in self.tasks

    def choose(self, specs: Sequence[LabelSpec]) -> tuple[LabelSpec, ...]:
        """Return those of all specs there are whose labels are to be read.

        Raises:
            DataError: a task asked for has no labels.
        """
        there = [spec.name for spec in specs]
        for task in self.tasks or ():
            if task not in there:
                where = f" in '{self.path}'" if self.path else ""
                raise DataError(f"Task '{task}' has no labels{where}; there are labels for: {', '.join(there)}.")
        return tuple(spec for spec in specs if self.wants(spec.name))


class Original(NamedTuple):
    """What a sample was made from.

    Attributes:
        picture: the file of its picture, of whatever format.
        objects: those of its index, regions to ignore with their classes too; None where nobody drew any, or where the
            source does not tell.
        painted: the masks are painted from the outlines of the objects.
        orientation: how the picture is read, if it has an EXIF orientation.
        listed_in: the file that lists it, or the folder.
        listed_as: what it is there: what COCO calls its `file_name`, the line of a CSV file.
    """

    picture: Path | None = None
    objects: "Sequence[Annotation] | None" = None
    painted: bool = False
    orientation: "Orientation | None" = None
    listed_in: Path | None = None
    listed_as: Any = None


@dataclass(frozen=True)
class Split:
    """One split of a source.

    Attributes:
        shapes: int32 `[N, 2]`, height and width of each picture in pixels, in which its labels are.
        ratios: int32 `[N]`, by how much smaller each picture is read than that, its sides rounded up; None for not at
            all.
        read: from a scalar index to a sample, in graph: `{"image": uint8 [h, w, 3], "labels": {task: label}, "weights":
            {task: float32 []}}`. Labels are those of a batch without its first axis, at the picture's own size: boxes
            `[max_boxes, 4]` in its pixels, masks uint8 `[h, w, 1]`, depth float32 `[h, w, 1]`.
        follow: where image-level labels follow from boxes or masks, `(labels before, labels after, specs by name,
            indices) -> labels` for a batch whose pictures were cropped.
        diagnose: the sentence that says why a sample cannot be read, or which values of its mask are no class.
        trusted: the samples need not all be read once before they are used.
        patient: where they are very many, they may be checked as they are first met.
        name: what a sample is called, a file where there is one.
        members: of several sources in one, how many samples each has, one source after the other.
        encoded: the JPEG or PNG file whose pixels are a sample's, or None where they come about in another way.
        lose: told of each sample that is left out, once its sentence was reported, for the account.
        original: what a sample was made from, as far as the source knows.
    """

    shapes: np.ndarray
    read: Callable[[tf.Tensor], Tree]
    follow: Callable[[Tree, Tree, dict[str, LabelSpec], tf.Tensor], Tree] | None = None
    diagnose: Callable[[int], str] = "Sample {} cannot be read.".format
    trusted: bool = False
    name: Callable[[int], str] = "sample {}".format
    members: Mapping[str, int] = field(default_factory=dict)
    ratios: np.ndarray | None = None
    encoded: Callable[[int], bytes | None] = lambda index: None
    lose: Callable[[int, str], None] = lambda index, message: None
    original: Callable[[int], Original] = lambda index: Original()
    patient: bool = False

    @property
    def read_shapes(self) -> np.ndarray:
        """Height and width at which each picture is read, int32 `[N, 2]`."""
        return self.shapes if self.ratios is None else -(-self.shapes // self.ratios[:, None])


@dataclass(frozen=True)
class Source:
    """The splits that are there, and what their labels mean.

    Attributes:
        specs: what the labels mean.
        splits: by name.
        absent: class names known to occur nowhere.
        members: of several sources in one, the tasks that each labels.
        place: the folder that it reads, where that is not all of the one it was given.
        lists: files that say which image is of which split, and lie elsewhere.
        accounts: of it, or of each of several, what became of the files; none where it reads no files of a user's.
    """

    specs: tuple[LabelSpec, ...]
    splits: dict[str, Split]
    absent: frozenset[str] = frozenset()
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place: Path | None = None
    accounts: tuple[Account, ...] = ()
    lists: tuple[Path, ...] = ()
