"""The annotations of a COCO file, each field checked: what is wrong with one costs that one alone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, isfinite, radians, sin
from pathlib import Path
from typing import Any

from pipelines.accounts.account import Account
from pipelines.errors import DataError
from pipelines.sources.coco import shapes
from pipelines.sources.coco.evidence import check_corners
from pipelines.sources.coco.images import Image, Images, Key
from pipelines.sources.coco.values import flag, key, number
from pipelines.sources.files.entries import CUT, HAIR, Annotation, Corners, clipped, corners, is_cut

SMALL = "box under one pixel"


@dataclass(frozen=True)
class Form:
    """How the annotations of a file are read.

    Attributes:
        outlines: outlines are wanted.
        corners: `bbox` is x_min, y_min, x_max, y_max, not x, y, width, height.
        relative: boxes are fractions of their image's width and height.
        crowds: objects of `iscrowd` are regions to ignore.
    """

    outlines: bool = True
    corners: bool = False
    relative: bool = False
    crowds: bool = True


@dataclass
class Objects:
    """Reads the annotations of one file.

    Attributes:
        path: the file.
        images: which the objects are added to.
        names: category id -> name.
        form: how they are read.
        account: told of each that cannot be used.
        used: ids of the categories that objects are of.
        told: counts what is read otherwise than it is written.
        crowds: how many are regions to ignore.
    """

    path: Path
    images: Images
    names: dict[Key, str]
    form: Form
    account: Account
    used: set[Key] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)
    crowds: int = 0
    rows: Sequence[dict[str, Any]] = ()  # until all boxes were looked at together

    def read(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add every annotation to its image."""
        account, unusable, seen = self.account, self.images.unusable, set[Any]()
        account.meet(len(rows))
        self.rows = rows
        repeated = None  # by id, the first annotation that has it: made where there is need
        for row in rows:
            try:
                own = row.get("id")
                if type(own) is int or isinstance(own, str):
                    if own in seen:
                        repeated = _firsts(rows) if repeated is None else repeated
                        self._repeats(row, repeated[own])
                    seen.add(own)
                place = row.get("image_id")
                place = place if type(place) is int else self._number(place, "image_id")
                if place in unusable:
                    account.lost["of images that cannot be used"] += 1
                else:
                    self._add(row, place)
            except FlatError:
                account.leave_annotations("a box without width or height")
                self.images.lost.add(self._number(row["image_id"], "image_id"))
            except DataError:
                raise
            except ValueError as error:
                account.lose(f"'{self.path}': annotations: id {row.get('id')}: {error}.", annotations=1)
                if (known := key(row.get("image_id"))) is not None:
                    self.images.lost.add(known)
        for words, count in self.told.items():
            account.alter(words, count)

    def _repeats(self, row: dict[str, Any], first: dict[str, Any]) -> None:
        """Refuse an annotation that another one is, too; count one that has another's id alone."""
        if all(row.get(name) == first.get(name) for name in ("image_id", "category_id", "bbox", "segmentation")):
            raise ValueError("it is given twice")
        self.told["its id is another's too"] += 1

    def _number(self, given: Any, name: str) -> Key:
        found = key(given)
        if found is None:
            raise ValueError(f"{name} is {given!r}, expected a whole number")
        return found

    def _add(self, row: dict[str, Any], place: Key) -> None:
        """Check one annotation and add it to its image; a ValueError says what is wrong with it."""
        image = self.images.known.get(place)
        if image is None:
            raise ValueError(f"image_id {place} is no image of the file")
        category = row.get("category_id")
        category = category if type(category) is int else key(category)
        if category is None or category not in self.names:
            raise ValueError(f"category_id {row.get('category_id')!r} is unknown ('{image.file_name}')")
        given = row.get("segmentation")
        try:
            crowd = flag(row.get("iscrowd"), "iscrowd") and self.form.crowds
            if row.get("ignore") and flag(row["ignore"], "ignore") and not crowd:
                self.told["a region to ignore, by its field 'ignore'"] += 1
                crowd = True
            found = self._outline(row, image) if given and (self.form.outlines or not row.get("bbox")) else None
            box = self._box(row, image, found)
            in_pixels = image.size or not self.form.relative
            if found and in_pixels and shapes.elsewhere(found, box):
                self.told[shapes.ELSEWHERE] += 1
                found = None
        except DataError:
            raise
        except ValueError as error:
            raise ValueError(f"{error} ('{image.file_name}')") from None
        self.used.add(category)
        self.crowds += crowd
        image.objects.append(
            Annotation(box, self.names[category], crowd, found if self.form.outlines else None, row.get("id"))
        )

    def _outline(self, row: dict[str, Any], image: Image) -> shapes.Outline | None:
        """Return the outline of an object; one that is malformed is told, and leaves its box."""
        try:
            found = shapes.outline(row["segmentation"], image.size, self.told)
        except ValueError as error:
            if not row.get("bbox"):
                raise
            at = f"'{self.path}': annotations: id {row.get('id')}"
            self.account.lose(f"{at}: {error} ('{image.file_name}'): its box is used alone.")
            return None
        return shapes.scaled(found, image.size) if self.form.relative and image.size else found

    def _box(self, row: dict[str, Any], image: Image, outline: shapes.Outline | None) -> Corners:
        """Return the box of an object, in pixels if the size of its image is known, and within it."""
        given, size = row.get("bbox"), image.size
        if not given and outline:
            self.told["its box from its outline, as it has none"] += 1
            edges = shapes.around(outline, size)
            if edges[2] <= edges[0] or edges[3] <= edges[1]:
                raise ValueError(f"its outline has no area, and bbox is {given!r}")
        else:
            edges = self._given(given)
            if self.form.relative and size:
                height, width = size
                edges = edges[0] * width, edges[1] * height, edges[2] * width, edges[3] * height
        turned = row.get("attributes")
        if turned and isinstance(turned, dict) and number(turned.get("rotation")):
            edges = _upright(edges, float(turned["rotation"]), size)
            self.told["the upright box around one that is turned"] += 1
        if size and not (edges[0] >= 0 and edges[1] >= 0 and edges[2] <= size[1] and edges[3] <= size[0]):
            try:
                within = corners(edges, size, HAIR if self.form.relative else 0.0)
            except ValueError:
                self._look_at_all()
                raise
            self.told[CUT] += is_cut(within, edges)
            edges = within
        if (edges[2] - edges[0] < 1 or edges[3] - edges[1] < 1) and (size or not self.form.relative):
            self.told[SMALL] += 1
        return edges

    def _look_at_all(self) -> None:
        """Before the first box that lies outside is refused: see whether all are corners."""
        rows, self.rows = self.rows, ()
        if not (self.form.corners or self.form.relative):
            check_corners(self.path, rows, self.images)

    def _given(self, given: Any) -> Corners:
        """Check the field `bbox`, and return it by its corners."""
        if not isinstance(given, list) or len(given) != 4:
            raise ValueError(f"bbox {given!r} is not {self._expected}")
        x, y, third, fourth = given
        if not (type(x) in NUMBERS and type(y) in NUMBERS and type(third) in NUMBERS and type(fourth) in NUMBERS):
            numbers = [number(value) for value in given]
            if None in numbers:
                raise ValueError(f"bbox {given!r} is not {self._expected}")
            x, y, third, fourth = numbers
            self.told["its box written as text"] += 1
        edges = (x, y, third, fourth) if self.form.corners else (x, y, x + third, y + fourth)
        try:
            finite = isfinite(edges[2]) and isfinite(edges[3]) and isfinite(x) and isfinite(y)
        except OverflowError:  # a whole number that no float holds
            finite = False
        if not finite:
            raise ValueError(f"bbox {given} is not finite")
        if edges[2] < x or edges[3] < y:
            raise ValueError(f"bbox {given} has no area")
        if edges[2] == x or edges[3] == y:
            raise FlatError
        return edges

    @property
    def _expected(self) -> str:
        return "[x_min, y_min, x_max, y_max]" if self.form.corners else "[x, y, width, height]"


class FlatError(Exception):
    """A box is a line or a point: there are some in COCO as it is published, which every tool leaves out."""


NUMBERS = (int, float)  # types: True is no number here


def _firsts(rows: Sequence[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    found: dict[Any, dict[str, Any]] = {}
    for row in rows:
        own = row.get("id")
        if type(own) is int or isinstance(own, str):
            found.setdefault(own, row)
    return found


def _upright(edges: Corners, degrees: float, size: tuple[int, int] | None) -> Corners:
    """Return the upright box around one that is turned about its centre, within its image."""
    x, y = (edges[0] + edges[2]) / 2, (edges[1] + edges[3]) / 2
    across, along = abs(cos(radians(degrees))) / 2, abs(sin(radians(degrees))) / 2
    width, height = edges[2] - edges[0], edges[3] - edges[1]
    half_x, half_y = width * across + height * along, width * along + height * across
    found = x - half_x, y - half_y, x + half_x, y + half_y
    return clipped(found, size) if size else found
