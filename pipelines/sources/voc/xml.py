"""One XML file of Pascal VOC, every field checked."""

from pathlib import Path
from xml.etree import ElementTree

from pipelines.errors import DataError
from pipelines.sources.files.entries import Annotation, corners

EDGES = ("xmin", "ymin", "xmax", "ymax")


def read_xml(path: Path) -> tuple[tuple[int, int] | None, list[Annotation], list[str]]:
    """Read the objects of one image.

    Returns:
        Height and width of the image, None where the file does not know them; the objects; and of each object that
        is wrong, a sentence without its full stop.

    Raises:
        DataError: the file is no XML, or its size is no size.
    """
    try:
        tree = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, UnicodeError, LookupError, ValueError) as error:
        raise DataError(f"'{path}' is not valid XML, it may be cut off: {error}.") from None
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}.") from None
    try:
        size = _size(tree)
    except ValueError as error:
        raise DataError(f"'{path}': {error}.") from None
    objects, wrong = [], []
    for number, element in enumerate(tree.findall("object"), 1):
        try:
            objects.append(_object(element, size, number))
        except ValueError as error:
            wrong.append(f"object {number}: {error}")
    return size, objects, wrong


def _size(tree: ElementTree.Element) -> tuple[int, int] | None:
    """Height and width of the image; some tools write 0 where they do not know."""
    if tree.find("size") is None:
        return None
    height, width = (_number(tree, f"size/{side}") for side in ("height", "width"))
    if not (height % 1 == width % 1 == 0) or min(height, width) < 0:
        raise ValueError(f"size has height {height:g} and width {width:g}, expected whole numbers above 0")
    return (int(height), int(width)) if height and width else None


def _object(element: ElementTree.Element, size: tuple[int, int] | None, number: int) -> Annotation:
    name = (element.findtext("name") or "").strip()
    if not name:
        raise ValueError("name is missing")
    x_min, y_min, x_max, y_max = (_number(element, f"bndbox/{edge}") for edge in EDGES)
    try:
        box = corners((x_min - 1.0, y_min - 1.0, x_max, y_max), size)
    except ValueError as error:
        raise ValueError(f"bndbox of '{name}' is {x_min:g}, {y_min:g}, {x_max:g}, {y_max:g}: {error}") from None
    difficult = (element.findtext("difficult") or "0").strip()
    if difficult not in ("0", "1"):
        raise ValueError(f"difficult is '{difficult}', expected 0 or 1")
    return Annotation(box, name, difficult == "1", number=number)


def _number(element: ElementTree.Element, field: str) -> float:
    text = element.findtext(field)
    try:
        return float(text or "")
    except ValueError:
        raise ValueError(f"{field} is {text!r}, expected a number") from None
