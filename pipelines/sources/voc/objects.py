"""One <object> of Pascal VOC's XML: its class, box and outline, and what is odd about them."""

from collections import Counter
from dataclasses import dataclass, field
from xml.etree import ElementTree

from pipelines.sources.files.entries import CUT, Annotation, Corners, corners, is_cut
from pipelines.sources.files.outlines import around

EDGES = ("xmin", "ymin", "xmax", "ymax")
NO, YES = ("", "0", "false", "no", "none", "unspecified"), ("1", "true", "yes")
# What is read, and what VOC says of every object and no task learns; the docstring of the source has them.
KNOWN = {"name", "bndbox", "polygon", "difficult", "deleted", "pose", "truncated", "occluded"}
KNOWN |= {"id", "date", "type", "verified", "parts"}
SWAPPED = "with xmin above xmax or ymin above ymax, taken in order"
FROM_ZERO = (
    "with a corner at 0 where VOC counts pixels from 1, cut at the edge: set the option first_pixel to 0 if your tool "
    "counts from 0"
)


@dataclass
class Reading:
    """How boxes are read, and what was odd about them.

    Attributes:
        first_pixel: the number of the first pixel; of 1, a box has the pixels from xmin to xmax, both inclusive; of 0,
            corners are where edges are.
        odd: how many boxes of each oddity, in the words of the account.
    """

    first_pixel: int = 1
    odd: Counter[str] = field(default_factory=Counter)

    def box(self, element: ElementTree.Element, name: str, size: tuple[int, int] | None) -> Corners:
        """Read the <bndbox> of an object.

        Raises:
            ValueError: it is no box of pixels in the image.
        """
        found = element.findall("bndbox")
        if len(found) != 1:
            raise ValueError(f"'{name}' has {len(found) or 'no'} bndbox, expected one")
        values = x_min, y_min, x_max, y_max = tuple(number(element, f"bndbox/{edge}") for edge in EDGES)
        shown = f"bndbox of '{name}' is {x_min:g}, {y_min:g}, {x_max:g}, {y_max:g}"
        if max(values) <= 1 and any(value % 1 for value in values):
            raise ValueError(f"{shown}: fractions of 1, expected pixels: multiply by the image's width and height")
        if x_min > x_max or y_min > y_max:
            self.odd[SWAPPED] += 1
            x_min, x_max, y_min, y_max = *sorted((x_min, x_max)), *sorted((y_min, y_max))
        first = self.first_pixel
        given = (x_min - first, y_min - first, x_max, y_max)
        try:
            box = corners(given, size)
        except ValueError as error:
            raise ValueError(f"{shown}: {error}") from None
        if first and 0 in (x_min, y_min):
            self.odd[FROM_ZERO] += 1
        elif is_cut(box, given):
            self.odd[CUT] += 1
        return box


def read_object(
    element: ElementTree.Element, size: tuple[int, int] | None, place: int, reading: Reading, aside: Counter[str]
) -> Annotation | None:
    """Read one object.

    Args:
        element: <object>.
        size: height and width of the image, or None.
        place: its number in the file.
        reading: how boxes are read.
        aside: counts what of the object is set aside, by rule.

    Returns:
        The object; None if it is marked as deleted.

    Raises:
        ValueError: it has no class, or no box in the image.
    """
    if _is_set(element, "deleted"):
        aside["an object marked as deleted"] += 1
        return None
    name = (element.findtext("name") or "").strip()
    if not name:
        raise ValueError("name is missing")
    outline = [points for polygon in element.findall("polygon") if (points := _points(polygon))]
    if outline and element.find("bndbox") is None:
        box = corners(around(outline), size)
    else:
        box = reading.box(element, name, size)
    difficult = _is_set(element, "difficult")
    for child in element:
        if child.tag == "part":
            aside["a part of an object, as a head or a hand"] += 1
        elif child.tag == "attributes":
            aside["an attribute of an object"] += len(child)
        elif child.tag not in KNOWN:
            aside[f"<{child.tag}> of an object"] += 1
    return Annotation(box, name, difficult, outline or None, place)


def number(element: ElementTree.Element, field: str) -> float:
    """Read a field that is a number.

    Raises:
        ValueError: it is none.
    """
    text = element.findtext(field)
    try:
        return float(text or "")
    except ValueError:
        raise ValueError(f"{field} is {text!r}, expected a number") from None


def _is_set(element: ElementTree.Element, field: str) -> bool:
    text = (element.findtext(field) or "").strip()
    if text.lower() not in (*NO, *YES):
        raise ValueError(f"{field} is '{text}', expected 0 or 1")
    return text.lower() in YES


def _points(polygon: ElementTree.Element) -> list[float]:
    """Read an outline: <x1>, <y1>, <x2>, ... as of Roboflow, or <pt> with <x> and <y>, as of LabelMe's web tool."""
    points = [value for pt in polygon.findall("pt") for value in (number(pt, "x"), number(pt, "y"))]
    while (place := len(points) // 2 + 1) and polygon.find(f"x{place}") is not None:
        points += [number(polygon, f"x{place}"), number(polygon, f"y{place}")]
    if len(points) < 6:
        raise ValueError(f"polygon has {len(points) // 2} points, expected 3 or more")
    return points
