"""Which way round a picture with an EXIF orientation was when its labels were drawn: upright, or as stored.

Drawing tools of today (CVAT, Label Studio, labelme, LabelImg since 2020, browsers) and Ultralytics show such pictures
upright; older ones, and scripts that read pixels alone, as they are stored. Sizes in the index tell, and so do masks
and boxes, unless the picture is square or turned by half. Where nothing tells, the others of the set do, else upright
holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipelines.pixels.headers import Header
from pipelines.sources.files.entries import OVERHANG, Entry

By = Literal["option", "labels", "others", "nothing"]
Size = tuple[int, int]


@dataclass(frozen=True)
class Orientation:
    """How a picture with an EXIF orientation is read.

    Attributes:
        upright: turned, or else as stored.
        by: what says so: the "option" exif, the sizes, boxes or mask of its own "labels", those of the "others" of its
            set, or "nothing".
    """

    upright: bool
    by: By


def decide(header: Header, entry: Entry, mask: Size | None, exif: str) -> Orientation | None:
    """Say how a picture is to be read; None if it has no EXIF orientation.

    Args:
        header: of the picture.
        entry: what the index says of it.
        mask: height and width of its mask, if it has one that is asked for.
        exif: the option.
    """
    if header.orientation == 1:
        return None
    if exif != "auto":
        return Orientation(exif == "upright", "option")
    stored, upright = (header.height, header.width), header.upright
    if stored != upright:
        for size in (entry.size, mask):
            if size in (stored, upright):
                return Orientation(size == upright, "labels")
        fits = [_holds(size, entry) for size in (upright, stored)]
        if fits[0] != fits[1]:
            return Orientation(fits[0], "labels")
    return Orientation(True, "nothing")


def _holds(size: Size, entry: Entry) -> bool:
    """Whether all boxes lie in a picture of this height and width, as far as that can be said."""
    if entry.relative or entry.size or not entry.objects:
        return True
    right, bottom = (max(each.box[side] for each in entry.objects) for side in (2, 3))
    return right <= size[1] + OVERHANG and bottom <= size[0] + OVERHANG


def agreed(found: Sequence[Orientation]) -> bool | None:
    """Whether the pictures whose labels tell are upright, or as stored; None if they disagree or none tells."""
    told = {each.upright for each in found if each.by == "labels"}
    return told.pop() if len(told) == 1 else None


def sentence(found: Sequence[Orientation]) -> str | None:
    """Say how the pictures that have an EXIF orientation are read, and why; None if there are none."""
    reasons: dict[By, str] = {
        "labels": "by the sizes, boxes or masks of their labels",
        "others": "as the labels of the others say",
        "option": "by the option exif",
        "nothing": "since nothing says otherwise, as drawing tools show them (the option exif=stored turns none)",
    }
    parts = []
    for by, reason in reasons.items():
        upright = sum(each.upright for each in found if each.by == by)
        stored = sum(not each.upright for each in found if each.by == by)
        ways = [f"{count} {way}" for count, way in ((upright, "upright"), (stored, "as stored")) if count]
        parts += [f"{' and '.join(ways)} {reason}"] if ways else []
    if not parts:
        return None
    what = "images have" if len(found) > 1 else "image has"
    return f"{len(found)} {what} an EXIF orientation and {'are' if len(found) > 1 else 'is'} read: {'; '.join(parts)}."
