"""Views of the same pictures, mirrored and at other sizes, out of which a task makes one prediction."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from visionmtl.errors import UsageError

FLIP, FUSE, VOTE = "flip", "fuse", "vote"
MARK = "+tta="  # in the name of a split whose figures are of several views
RANGE = (0.25, 4.0)  # of scales
EXPECTED = (
    f"expected {FLIP}, {VOTE}, {FUSE} or scales of {RANGE[0]:g} to {RANGE[1]:g}, parted by commas, as flip,0.75,1.25"
)


@dataclass(frozen=True)
class Views:
    """Which further views of each picture are predicted on, beside the picture itself.

    Attributes:
        flip: whether each view is mirrored too, left for right.
        scales: of the network's input, ascending; 1, the picture itself, is not among them.
        boxes: how boxes of several views that lie on each other become one: "" as the task does it with those of one
            view, "vote" if the corners are the mean of all in any case, "fuse" if the score is the mean too.

    Example:
        >>> str(Views.parsed("1.25, 0.75, flip"))
        'flip,0.75,1.25'
    """

    flip: bool = False
    scales: tuple[float, ...] = ()
    boxes: str = ""

    @classmethod
    def parsed(cls, given: "str | Views") -> "Views":
        """Return what "flip,0.75,1.25" says; what is read already stays as it is.

        Raises:
            UsageError: it says nothing that is known, or the same twice, or of no further view.
        """
        if isinstance(given, cls):
            return given
        words = [word.strip() for word in str(given).split(",")]
        scales = sorted(_scale(word, given) for word in words if word not in (FLIP, FUSE, VOTE))
        named = [word for word in words if word in (FLIP, FUSE, VOTE)] + [f"{scale:g}" for scale in scales]
        if len(set(named)) < len(named):
            twice = next(word for word in named if named.count(word) > 1)
            raise UsageError(f"Views '{given}' name {twice} twice: name each once.")
        if {FUSE, VOTE} <= {*named}:
            raise UsageError(f"Views '{given}' have {FUSE} and {VOTE}, two ways to average boxes: name one of both.")
        if FLIP not in named and not scales:
            raise UsageError(f"Views '{given}' add no view of a picture whose boxes could be averaged: {EXPECTED}.")
        return cls(FLIP in named, tuple(scales), next((word for word in (FUSE, VOTE) if word in named), ""))

    def split(self, name: str) -> str:
        """Return under which name figures of a split are kept, lest they are taken for those of the pictures alone.

        Example:
            >>> Views(flip=True).split("test")
            'test+tta=flip'
        """
        return f"{name}{MARK}{self}"

    def __str__(self) -> str:
        words = [FLIP] * self.flip + [f"{scale:g}" for scale in self.scales]
        return ",".join([*words, self.boxes] if self.boxes else words)


@dataclass(frozen=True)
class View:
    """A batch of pictures as the network saw it once.

    Attributes:
        outputs: a task's raw outputs.
        size: height and width of the network's input in pixels.
        flipped: whether it was mirrored, left for right.
    """

    outputs: Mapping[str, tf.Tensor]
    size: tuple[int, int]
    flipped: bool = False


@dataclass(frozen=True)
class Seen:
    """All views of a batch of pictures; the first is of the pictures themselves, unchanged.

    Attributes:
        views: one or several.
        boxes: as in `Views`.
    """

    views: tuple[View, ...]
    boxes: str = ""

    @property
    def plain(self) -> View:
        """The pictures themselves."""
        return self.views[0]

    def larger(self, view: View) -> float:
        """Return how many times as large a view shows what is in the pictures."""
        return math.sqrt(math.prod(view.size) / math.prod(self.plain.size))

    def mean_map(self, output: str, means: Callable[[tf.Tensor, View], tf.Tensor]) -> tf.Tensor:
        """Return the mean over the views of what an output `[B, h, w, C]` means, where the pictures have it.

        Args:
            output: a name among the outputs; its maps are resized to the largest, and mirrored back.
            means: what resized maps of a view mean, such as probabilities.
        """
        maps = [tf.cast(view.outputs[output], tf.float32) for view in self.views]
        height, width = max((tuple(each.shape[1:3]) for each in maps), key=math.prod)
        total: Any = 0.0
        for view, each in zip(self.views, maps, strict=True):
            each = tf.reverse(each, [2]) if view.flipped else each
            each = each if tuple(each.shape[1:3]) == (height, width) else tf.image.resize(each, (height, width))
            total += means(each, view)
        return total / len(maps)


def _scale(word: str, given: Any) -> float:
    """Return the scale that a word says.

    Raises:
        UsageError: it says none.
    """
    try:
        scale = float(word)
    except ValueError:
        scale = math.nan
    if not RANGE[0] <= scale <= RANGE[1]:
        raise UsageError(f"Views '{given}' have '{word}': {EXPECTED}.")
    if scale == 1:
        raise UsageError(f"Views '{given}' have scale 1, the picture itself, which is always seen: leave it out.")
    return scale
