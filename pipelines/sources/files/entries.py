"""What an index (a JSON, XML, CSV or text file, or the folders themselves) says of each image, before any is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

OVERHANG = 2.0  # pixels that a box may stick out of its image by rounding; it is clipped
HAIR = 0.01  # fraction of its side that one given in fractions may; what Ultralytics allows a number beyond 1
ROUNDED = 0.01  # pixels that fractions of six decimals may be off
CUT = "cut at the picture's edge"  # as the account has it
Corners = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)  # slots: there may be a million
class Annotation:
    """One object.

    Attributes:
        box: `x_min, y_min, x_max, y_max` in pixels.
        category: its class by name; "" for a crowd of none.
        crowd: a region that is neither learnt nor counted.
        segmentation: the outline as COCO gives it, polygons or RLE, or None.
        number: where the index has it: a line or an id.
    """

    box: Corners
    category: str
    crowd: bool = False
    segmentation: list | dict | None = None
    number: Any = None


@dataclass(frozen=True)
class Entry:
    """One image and its labels; a label that is None is one that the image lacks.

    Attributes:
        image: the file.
        index: the file that says so, or the folder.
        size: height and width that the index gives, or None.
        objects: the boxes.
        relative: boxes and polygons are fractions of the image's width and height.
        place: says with a number where an object or the image stands in the index, as "line {}".
        number: of the image in the index.
        label: the one class of the image.
        presence: class -> 1, 0, or -1 where nobody looked; None where it follows from the objects.
        bare: how many annotations of the index label the image and are no objects, as rows of class names.
        mask: a PNG file of class ids.
        lost: the index has an object of it that cannot be used.
        more: by task, what the index says of labels of other kinds; None where the image lacks one.
    """

    image: Path
    index: Path
    size: tuple[int, int] | None = None
    objects: list[Annotation] | None = None
    relative: bool = False
    place: str = "{}"
    number: Any = None
    label: str | None = None
    presence: Mapping[str, float] | None = None
    bare: int = 0
    mask: Path | None = None
    lost: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def annotations(self) -> int:
        """How many annotations of its index are lost with the image."""
        return len(self.objects or ()) + self.bare

    def at(self, number: Any) -> str:
        """Say where in the index something stands."""
        return f"'{self.index}': {self.place.format(number)}"


def corners(values: Corners, size: tuple[int, int] | None = None, hair: float = 0.0) -> Corners:
    """Check a box given by its corners, and clip it to its image.

    Args:
        values: `x_min, y_min, x_max, y_max`, numbers of any kind.
        size: height and width of the image, in the unit of the box; None where they are not known yet.
        hair: the fraction of a side by which the box may stick out, where that is more than `OVERHANG`.

    Raises:
        ValueError: the box is not finite, has no area, or lies outside by more than rounding.
    """
    x_min, y_min, x_max, y_max = values
    if size and 0 <= x_min < x_max <= size[1] and 0 <= y_min < y_max <= size[0]:
        return x_min, y_min, x_max, y_max  # as most are, of a million
    if not (isfinite(x_min) and isfinite(y_min) and isfinite(x_max) and isfinite(y_max)):
        raise ValueError(f"box ({_shown(values)}) is not finite")
    if x_max <= x_min or y_max <= y_min:
        raise ValueError(f"box ({_shown(values)}) has no area: expected x_min < x_max and y_min < y_max")
    if size is None:
        return x_min, y_min, x_max, y_max
    height, width = size
    within = clipped(values, size)
    beside, above = max(OVERHANG, hair * width), max(OVERHANG, hair * height)
    out = max(-x_min, x_max - width) > beside or max(-y_min, y_max - height) > above
    if out or within[2] <= within[0] or within[3] <= within[1]:
        raise ValueError(f"box ({_shown(values)}) lies outside its image of {width} x {height}")
    return within


def clipped(box: Corners, size: tuple[int, int]) -> Corners:
    """Return what of a box lies in an image of this height and width."""
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], float(size[1])), min(box[3], float(size[0]))


def _shown(values: Corners) -> str:
    return ", ".join(f"{value:g}" for value in values)


def is_cut(box: Corners, whole: Corners) -> bool:
    """Whether a box was clipped, by more than its numbers are rounded."""
    return any(abs(a - b) > ROUNDED for a, b in zip(box, whole, strict=True))


def inside(name: str, field: str = "file_name") -> str:
    """Return the name of a file, if it is one within its folder.

    Raises:
        ValueError: it is absolute or climbs out of the folder.
    """
    posix = PurePosixPath(name.replace("\\", "/"))
    if posix.is_absolute() or ".." in posix.parts or (len(name) > 1 and name[1] == ":"):
        raise ValueError(f"{field} '{name}' leads out of the image folder")
    return name
