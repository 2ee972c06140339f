"""YOLO as Ultralytics reads it: a text file of boxes or of polygons for each image, and data.yaml."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipelines.sources.files.entries import Annotation
from pipelines.writers.base import FOLDERS, Content, Picture, Writer, number
from pipelines.writers.polygons import fractions, is_kept, joined

MOVED = 0.5  # pixels that the extent of an outline may differ from its box before it is told
CROWDS = "regions to ignore (crowds, difficult objects): left out, as YOLO has no place for them"
BOXES = "objects that have outlines written as boxes: YOLO's polygons, all or none, do not hold those of all objects"
EXTENTS = "boxes that move by more than half a pixel: with polygons, YOLO's box is the extent of the polygon"
JOINED = "outlines of several parts joined by bridges without width: YOLO has one polygon an object"
BESIDE = "masks written to masks/: Ultralytics trains on them with semantic.yaml, visionmtl finds them by data.yaml"
NO_VAL = "split that is missing: Ultralytics wants `val` in data.yaml, name a folder there"


class Yolo(Writer):
    """`images/train/`, `labels/train/` and `data.yaml`; masks in `masks/train/` where polygons do not tell them all.

    Numbers have as many digits as it takes to come back as the same box and the same mask. Ultralytics refuses a file
    that mixes boxes and polygons, and uses no polygons where some images have boxes alone: if every object has an
    outline of polygons, these are written, otherwise boxes. Masks lie where its semantic segmentation looks for them.
    """

    title = "YOLO"
    suffixes = frozenset(  # of Ultralytics 8.4
        {".avif", ".bmp", ".dng", ".heic", ".heif", ".jp2", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp"}
    )
    sizes = False
    regions = False

    def __init__(self, root: Path, content: Content):
        super().__init__(root, content)
        known = [(shape, objects) for shape, objects in content.objects if objects is not None]
        drawn = [(shape, each) for shape, objects in known for each in objects if not each.crowd]
        self.polygons = bool(drawn) and all(_is_polygons(each) for _, each in drawn)
        crowds = any(each.crowd for _, objects in known for each in objects)
        whole = (
            content.outlines and self.polygons and not crowds and all(_is_kept(each, shape) for shape, each in drawn)
        )
        self.beside = content.mask_classes is not None and not whole

    def pictures(self, split: str) -> Path:
        return self.root / "images" / FOLDERS[split]

    def masks(self, split: str) -> Path | None:
        return self.root / "masks" / FOLDERS[split] if self.beside else None

    def write(self, split: str, pictures: Sequence[Picture]) -> None:
        ids = {name: place for place, name in enumerate(self.content.categories or ())}
        for picture in pictures:
            lines = []
            for annotation in picture.objects or ():
                if annotation.crowd:
                    self.rules[CROWDS] += 1
                else:
                    cells = self._cells(annotation, picture.shape)
                    lines.append(" ".join([str(ids[annotation.category]), *map(number, cells)]) + "\n")
            if self.content.categories:
                self.put(f"labels/{FOLDERS[split]}/{picture.stem}.txt", "".join(lines))
                self.rules[BESIDE] += picture.masked and self.beside

    def _cells(self, annotation: Annotation, shape: tuple[int, int]) -> list[float]:
        """Return the numbers of a line behind the class."""
        height, width = shape
        x_min, y_min, x_max, y_max = annotation.box
        if self.polygons and isinstance(annotation.segmentation, list):
            polygon = joined(annotation.segmentation)
            xs, ys = polygon[::2], polygon[1::2]
            extent = min(xs), min(ys), max(xs), max(ys)
            self.rules[EXTENTS] += max(abs(a - b) for a, b in zip(extent, annotation.box, strict=True)) > MOVED
            self.rules[JOINED] += len(annotation.segmentation) > 1
            return fractions(polygon, shape)
        self.rules[BOXES] += annotation.segmentation is not None
        sides = (x_max - x_min) / width, (y_max - y_min) / height
        return [(x_min + x_max) / 2 / width, (y_min + y_max) / 2 / height, *sides]

    def finish(self, splits: Mapping[str, Sequence[Picture]]) -> None:
        super().finish(splits)
        boxes, masks = self.content.categories, self.content.mask_classes if self.beside else None
        self._settings("data.yaml", splits, boxes or masks or (), not boxes)
        if boxes and masks:
            self._settings("semantic.yaml", splits, masks, True)
        self.rules[NO_VAL] += "validation" not in splits

    def _settings(self, name: str, splits: Iterable[str], names: Sequence[str], masks: bool) -> None:
        """Write the YAML that names the folders of the splits and the classes; Ultralytics starts from its folder."""
        content: dict[str, Any] = {FOLDERS[split]: f"images/{FOLDERS[split]}" for split in splits}
        content |= {"masks_dir": "masks"} if masks else {}
        self.put(
            name, yaml.safe_dump({**content, "names": dict(enumerate(names))}, sort_keys=False, allow_unicode=True)
        )


def _is_polygons(annotation: Annotation) -> bool:
    return isinstance(annotation.segmentation, list)


def _is_kept(annotation: Annotation, shape: tuple[int, int]) -> bool:
    try:
        return isinstance(annotation.segmentation, list) and is_kept(annotation.segmentation, shape)
    except ValueError:  # malformed: its image is told, and left out, when it is read
        return True
