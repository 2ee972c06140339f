"""Pascal VOC: an XML file a picture, lists of the splits, and masks of classes with VOC's palette."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from pipelines.sources.files.entries import Annotation
from pipelines.writers.base import FOLDERS, Picture, Writer, number

PARTS = "boxes whose corners are no whole pixels: written with decimals, which some readers of VOC round"
PAINTED = "outlines painted into masks of classes: VOC has no polygons"
DROPPED = "outlines left out: VOC has no polygons, and the masks here are not painted from them"
UNLISTED = "classes that no object of the first split has: VOC lists none, so that reading it wants the option classes"


class Voc(Writer):
    """`JPEGImages/`, `Annotations/`, `ImageSets/Main/train.txt`, and `SegmentationClass/` with VOC's palette.

    Corners count from 1 and lie within the box: those of a box of whole pixels are whole numbers. Regions to ignore are
    "difficult". A picture keeps its suffix, which its XML file names.
    """

    title = "Pascal VOC"
    one_folder = True
    unlabelled = True

    def pictures(self, split: str) -> Path:
        return self.root / "JPEGImages"

    def masks(self, split: str) -> Path | None:
        return self.root / "SegmentationClass"

    def mask(self, mask: np.ndarray, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(mask).convert("P")
        picture.putpalette(palette().ravel().tolist())
        picture.save(path)

    def write(self, split: str, pictures: Sequence[Picture]) -> None:
        for picture in pictures:
            if picture.objects is not None:
                self.put(f"Annotations/{picture.stem}.xml", _xml(picture))
            for annotation in picture.objects or ():
                self.rules[PARTS] += not all(float(value).is_integer() for value in annotation.box)
                self.rules[PAINTED if self.content.outlines else DROPPED] += annotation.segmentation is not None
        lists = {"Main": pictures, "Segmentation": [picture for picture in pictures if picture.masked]}
        for name, listed in lists.items():
            if listed:
                lines = "".join(f"{picture.stem}\n" for picture in listed)
                self.put(f"ImageSets/{name}/{FOLDERS[split]}.txt", lines)

    def finish(self, splits: Mapping[str, Sequence[Picture]]) -> None:
        super().finish(splits)
        categories, first = self.content.categories or (), next(iter(splits.values()))
        met = {annotation.category for picture in first for annotation in picture.objects or ()}
        if met < set(categories):
            self.rules[UNLISTED] += len(set(categories) - met)
            self.options["classes"] = list(categories)


def palette() -> np.ndarray:
    """Return VOC's colours, uint8 `[256, 3]`: the bits of a class id are dealt to the three colours in turn.

    Example:
        >>> palette()[[0, 1, 15, 255]].tolist()
        [[0, 0, 0], [128, 0, 0], [192, 128, 128], [224, 224, 192]]
    """
    ids = np.arange(256)
    colours = np.zeros((256, 3), int)
    for place in range(8):
        bits = ids >> 3 * place
        colours |= np.stack([bits & 1, bits >> 1 & 1, bits >> 2 & 1], axis=1) << 7 - place
    return colours.astype(np.uint8)


def _xml(picture: Picture) -> str:
    root, file = ElementTree.Element("annotation"), PurePosixPath(picture.name)
    _fields(root, folder="JPEGImages", filename=file.name)
    height, width = picture.shape
    _fields(ElementTree.SubElement(root, "size"), width=str(width), height=str(height), depth="3")
    _fields(root, segmented=str(int(picture.masked)))
    for annotation in picture.objects or ():
        element = ElementTree.SubElement(root, "object")
        _fields(element, name=annotation.category, pose="Unspecified", truncated="0")
        _fields(element, difficult=str(int(annotation.crowd)))
        _fields(ElementTree.SubElement(element, "bndbox"), **_corners(annotation))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _corners(annotation: Annotation) -> dict[str, str]:
    x_min, y_min, x_max, y_max = annotation.box
    corners = {"xmin": x_min + 1, "ymin": y_min + 1, "xmax": x_max, "ymax": y_max}
    return {name: number(value) for name, value in corners.items()}


def _fields(parent: ElementTree.Element, **texts: str) -> None:
    for name, text in texts.items():
        ElementTree.SubElement(parent, name).text = text
