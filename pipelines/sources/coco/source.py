"""The source "coco": its options, and what of its files is what label."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.sources.coco.index import Image, read_index
from pipelines.sources.coco.layout import Folder, find
from pipelines.sources.file_options import check_option, divide_option
from pipelines.sources.files import labels, layout
from pipelines.sources.files.assembly import assemble
from pipelines.sources.files.entries import Entry
from pipelines.sources.files.format import FileFormat
from pipelines.sources.layouts import Layout, has, split_has


@dataclass(frozen=True)
class Coco(FileFormat):
    """COCO instance JSON with images beside it: boxes, semantic masks and which categories are present.

    `layout.find` has the layouts of folders. Tasks: "classification" (multi-label: the categories present),
    "detection", and "segmentation", from a folder of PNG masks or else from the polygons and RLE of the objects
    ("background" and the categories, if they are at most 254).

    - Boxes may stick out of their image by 2 pixels, and are clipped. Crowd regions are ignored (class -2, mask 255),
      and count as present.
    - An image with an EXIF orientation is turned upright if the JSON's width and height are those of the upright image,
      or are not given; otherwise the annotations are taken to mean the image as stored.
    """

    layouts = (
        Layout(
            "COCO",
            "train/annotations.json and train/images/*.jpg (and train/masks/*.png), or annotations.json and images/",
            (split_has("annotations.json"),),
            covers=("images and masks",),
        ),
        Layout(
            "COCO, as it is published",
            "annotations/instances_train2017.json and train2017/*.jpg",
            (has("annotations/instances_*.json"),),
        ),
    )

    divide: bool | None = divide_option()
    check: str = check_option()

    def read(self, request: Request) -> Source:
        """Read the JSON of each split, and assemble images, objects and masks."""
        root = layout.folder(request.path, "coco", "with annotations.json and images/ in it or in its train/")
        folders = find(root, request, self.divide)
        read = {path: read_index(path, request.account) for path in {f.annotations: None for f in folders.values()}}
        categories = _categories({folder.annotations: read[folder.annotations][0] for folder in folders.values()})
        entries = {name: _entries(read[folder.annotations][1], folder) for name, folder in folders.items()}
        filed = any(folder.masks for folder in folders.values())
        named = layout.mask_classes(root, [folder.annotations.parent for folder in folders.values()], request.account)
        classes, ignore = (filed and named) or (("background", *categories), None)
        outlined = any(a.segmentation for found in entries.values() for entry in found for a in entry.objects or ())
        there: list[labels.Label] = []
        if categories:
            there.append(labels.Presence(LabelSpec("classification", "multi_label", categories)))
            there.append(labels.Boxes(LabelSpec("detection", "detection", categories)))
        if filed or (len(classes) <= IGNORE and outlined):
            masks = LabelSpec("segmentation", "segmentation", classes)
            there.append(labels.MaskFiles(masks, ignore) if filed else labels.Outlines(masks))
        return assemble(request, entries, there, self.check, self.pictures_as)


def _entries(images: list[Image], folder: Folder) -> list[Entry]:
    """The images that belong to one split."""
    return [
        Entry(
            image=folder.images / image.file_name,
            index=folder.annotations,
            size=image.size,
            objects=image.objects,
            place="annotations: id {}",
            mask=folder.masks and folder.masks / Path(image.file_name).with_suffix(".png"),
        )
        for image in images
        if layout.holds(folder.fraction, image.file_name)
    ]


def _categories(names: dict[Path, list[str]]) -> tuple[str, ...]:
    """The category names of the first file; the others may have no more."""
    (first, categories), *others = names.items()
    for path, found in others:
        for name in found:
            if name not in categories:
                raise DataError(f"'{path}': categories: '{name}' is not one of '{first}'.")
    return tuple(categories)
