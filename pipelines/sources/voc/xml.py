"""One XML file of Pascal VOC, every field checked."""

import re
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.files.entries import Annotation
from pipelines.sources.voc.objects import Reading, number, read_object

DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
HEAD = 4096  # bytes of a file that are looked at to see what it is
ROOT = re.compile(r"<annotation[\s>/]")


@dataclass
class Page:
    """What a file of annotations says of its image.

    Attributes:
        size: height and width; None where the file does not know them.
        filename: the name of the image as the file gives it, without folders, or "".
        objects: those that can be used.
        wrong: of each object that is wrong, a sentence without its full stop.
        aside: how many things of the objects are set aside, by rule.
    """

    size: tuple[int, int] | None
    filename: str
    objects: list[Annotation] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    aside: Counter[str] = field(default_factory=Counter)


def read_xml(path: Path, reading: Reading) -> Page:
    """Read the objects of one image.

    Args:
        path: the file.
        reading: how boxes are read; it counts what was odd about them.

    Raises:
        DataError: the file is no XML of an image, or its size is no size.
    """
    root = parsed(path)
    try:
        page = Page(_size(root), _filename(root))
    except ValueError as error:
        raise DataError(f"'{path}': {error}.") from None
    for place, element in enumerate(root.findall("object"), 1):
        try:
            found = read_object(element, page.size, place, reading, page.aside)
        except ValueError as error:
            page.wrong.append(f"object {place}: {error}")
        else:
            page.objects += [found] if found else []
    return page


def parsed(path: Path) -> ElementTree.Element:
    """Parse a file; tags lose their namespaces.

    Raises:
        DataError: it is no XML with the root <annotation>, or declares entities.
    """
    text = _text(path)
    if not text.strip():
        raise DataError(f"'{path}' is not valid XML: it is empty.")
    if "<!ENTITY" in text:  # ten lines of them can grow to fill the memory
        raise DataError(f"'{path}' declares XML entities, which no annotation needs: remove its <!ENTITY ...> lines.")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise DataError(f"'{path}' is not valid XML, it may be cut off: {error}.") from None
    for element in root.iter():
        if isinstance(element.tag, str):
            element.tag = element.tag.rpartition("}")[2]
    if root.tag != "annotation":
        cvat = ", the XML of CVAT for images: export it as Pascal VOC" if root.tag == "annotations" else ""
        raise DataError(f"'{path}' is XML of <{root.tag}>, expected <annotation>{cvat}.")
    return root


def is_annotation(path: Path) -> bool:
    """Whether the beginning of a file is that of Pascal VOC's XML."""
    try:
        return ROOT.search(layout.beginning(path, HEAD)) is not None
    except OSError:
        return False


def filename(path: Path) -> str:
    """Return the name of the image that a file of annotations gives, or "" where it cannot be read or gives none."""
    try:
        return _filename(parsed(path))
    except DataError:
        return ""


def _text(path: Path) -> str:
    """Return what a file says, in the encoding that it declares, if it is one."""
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {error.strerror}.") from None
    declared = DECLARED.match(content)
    encoding = declared[1].decode() if declared else "utf-8"
    if encoding.lower() not in ("utf-8", "utf8"):
        try:
            return content.decode(encoding)
        except LookupError:
            warnings.warn(f"'{path}' declares the encoding '{encoding}', which is none.", stacklevel=2)
        except UnicodeDecodeError:
            warnings.warn(f"'{path}' is no text in '{encoding}', which it declares.", stacklevel=2)
    return layout.text(path)


def _size(root: ElementTree.Element) -> tuple[int, int] | None:
    """Height and width of the image; some tools write 0 or nothing where they do not know."""
    texts = [(root.findtext(f"size/{side}") or "").strip() for side in ("height", "width")]
    if not all(texts):
        return None
    height, width = (number(root, f"size/{side}") for side in ("height", "width"))
    if not (height % 1 == width % 1 == 0) or min(height, width) < 0:
        raise ValueError(f"size has height {height:g} and width {width:g}, expected whole numbers above 0")
    return (int(height), int(width)) if height and width else None


def _filename(root: ElementTree.Element) -> str:
    return (root.findtext("filename") or "").strip().replace("\\", "/").rpartition("/")[2]
