"""What every writer of a format is: it says where pictures and masks go, and writes the labels of a split."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pipelines.kinds.spec import IGNORE
from pipelines.pixels import pictures
from pipelines.sources.files.entries import Annotation

FOLDERS = {"train": "train", "validation": "val", "test": "test"}  # what a split is called in file names
MASK_CLASSES = "mask_classes.json"
HELD = {"detection": "boxes", "segmentation": "masks"}  # kinds of label that the formats have a place for


@dataclass(frozen=True)
class Content:
    """What is to be written.

    Attributes:
        categories: the classes of the boxes; None where the set has no boxes.
        mask_classes: those of the masks, in the order of their values; None where it has no masks.
        outlines: the masks are painted from the outlines of the objects, which tell them.
        objects: those of every image, where they are known before the images are read; None of an image that is not
            labelled.
    """

    categories: tuple[str, ...] | None
    mask_classes: tuple[str, ...] | None
    outlines: bool = False
    objects: Sequence[tuple[tuple[int, int], Sequence[Annotation] | None]] = field(default=(), repr=False)


@dataclass(frozen=True)
class Picture:
    """One image that was written.

    Attributes:
        name: of its file in the folder of pictures, as "cats/tom.jpg".
        shape: its height and width in pixels, in which its labels are.
        objects: None where it is not labelled.
        masked: it has a mask.
    """

    name: str
    shape: tuple[int, int]
    objects: Sequence[Annotation] | None
    masked: bool

    @property
    def stem(self) -> str:
        """Its name without the suffix."""
        return Path(self.name).with_suffix("").as_posix()


class Writer:
    """One format of files; the first line of a subclass's docstring says what it writes.

    Args:
        root: the folder to fill.
        content: what is to be written in it.

    Attributes:
        title: what the format is called.
        suffixes: those of pictures that its tools read, others become PNG; None for all.
        one_folder: the pictures of all splits lie in one folder.
        sizes: it says how large an image is, so that one that lies turned (EXIF) can be told from one that does not.
        regions: it holds regions to ignore.
        unlabelled: it holds images of which nobody has drawn the objects; in others they would count as empty.
        rules: what could not be written as it was: how many, by what was done.
        options: of the source that reads what was written, where its defaults would not do.
    """

    title: ClassVar[str]
    suffixes: ClassVar[frozenset[str] | None] = None
    one_folder: ClassVar[bool] = False
    sizes: ClassVar[bool] = True
    regions: ClassVar[bool] = True
    unlabelled: ClassVar[bool] = False

    def __init__(self, root: Path, content: Content):
        self.root, self.content = root, content
        self.rules: Counter[str] = Counter()
        self.options: dict[str, Any] = {}

    def pictures(self, split: str) -> Path:
        """Return the folder of the pictures of a split."""
        raise NotImplementedError

    def masks(self, split: str) -> Path | None:
        """Return the folder of the masks of a split; None where they are not written as files."""
        raise NotImplementedError

    def write(self, split: str, pictures: Sequence[Picture]) -> None:
        """Write the labels of a split whose pictures and masks are there."""
        raise NotImplementedError

    def finish(self, splits: Mapping[str, Sequence[Picture]]) -> None:
        """Write what belongs to all splits."""
        if self.content.mask_classes and any(self.masks(split) for split in splits):
            content = {"classes": list(self.content.mask_classes), "ignore": IGNORE}
            self.put(MASK_CLASSES, json.dumps(content, ensure_ascii=False, indent=1))

    def mask(self, mask: np.ndarray, path: Path) -> None:
        """Write a mask of class ids, uint8 `[h, w]`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pictures.png(mask))

    def put(self, name: str, text: str) -> None:
        """Write a text file of this name in the folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def number(value: float) -> str:
    """Return a coordinate with all its digits, and without a point where it is whole.

    Example:
        >>> number(12.0), number(0.1 + 0.2)
        ('12', '0.30000000000000004')
    """
    return str(int(value)) if float(value).is_integer() else repr(float(value))
