"""`Layout`: how a data set of one tool lies in its folder, and the signs by which it is known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pipelines.accounts.tree import Tree

FOLDERS_ALONE = ("class folders", "images and masks")  # layouts of the source "folder": a file of labels says more


class Sign(NamedTuple):
    """Something to be seen in a folder that speaks for a layout.

    Attributes:
        words: what it is, as "data.yaml".
        there: whether a folder has it.
    """

    words: str
    there: Callable[[Tree], bool]


def has(*patterns: str) -> Sign:
    """Return the sign that some file is like one of these patterns; `Tree.like` explains them.

    Example:
        >>> has("annotations/instances_*.json").words
        'annotations/instances_*.json'
    """
    return Sign(" or ".join(patterns), lambda tree: any(tree.has(pattern) for pattern in patterns))


@dataclass(frozen=True)
class Layout:
    """A layout of folders and files.

    Attributes:
        name: whose it is, as "YOLO, as Ultralytics has it".
        look: how it looks, as "data.yaml, images/train/*.jpg and labels/train/*.txt".
        signs: all of them are there in a folder of this layout, and not by chance: that there are pictures is no sign.
        covers: names of layouts whose signs a folder of this one may have too, as masks beside the images of COCO.
        doubt: says why a folder with all signs is not taken for one, unless its source is named; "" where it is.
    """

    name: str
    look: str
    signs: tuple[Sign, ...]
    covers: tuple[str, ...] = ()
    doubt: Callable[[Tree], str] = lambda tree: ""

    def fits(self, tree: Tree) -> bool:
        """Whether a folder has all signs."""
        return all(sign.there(tree) for sign in self.signs)

    def seen(self, tree: Tree) -> list[str]:
        """Return the signs that a folder has, in words."""
        return [sign.words for sign in self.signs if sign.there(tree)]
