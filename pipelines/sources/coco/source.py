"""The source "coco": its options, and what of its files is what label."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.sources.base import option
from pipelines.sources.coco.categories import agree
from pipelines.sources.coco.entries import entered, note_unlisted
from pipelines.sources.coco.finding import Place, find, leave_others
from pipelines.sources.coco.index import read_index
from pipelines.sources.coco.layouts import LAYOUTS
from pipelines.sources.coco.objects import Form
from pipelines.sources.file_options import divide_option
from pipelines.sources.files import labels, layout
from pipelines.sources.files.entries import Entry
from pipelines.sources.files.format import MaskFormat
from pipelines.sources.files.masks.declaring import declared


@dataclass(frozen=True)
class Coco(MaskFormat):
    """COCO instance JSON with images beside it: boxes, semantic masks and which categories are present.

    A JSON for each split, named as the split or in a folder that is, or one for all, which is divided. It may lie
    beside its pictures (Roboflow, Label Studio, FiftyOne) or in `annotations/` (COCO itself, CVAT, Datumaro,
    Supervisely); `images/`, `data/`, `train2017/` and others are known to hold pictures. A `file_name` that was written
    on another machine is matched by its end, and a warning says how.

    Tasks: "classification" (multi-label: the categories present), "detection", and "segmentation", from a folder
    `masks/` beside the JSON, of PNG masks of the pictures' stems, or else from the polygons and RLE of the objects
    ("background" and the categories, if they are at most 254). The classes of PNG masks are in `mask_classes.json`
    (`{"classes": [...], "ignore": 255}`) beside `masks/` or in DIR, or in a palette there, as in the source "folder";
    without these they are "background" and the categories.

    - Boxes may stick out of their image by 2 pixels, and are clipped. Crowd regions are ignored (class -2, mask 255),
      and count as present.
    - Boxes that all lie within 1 x 1 are fractions of their images.
    - A category that is the supercategory of others and has no objects is no class.
    - An image with an EXIF orientation is turned upright if the JSON's width and height are those of the upright image,
      or are not given; otherwise the annotations are taken to mean the image as stored.
    """

    layouts = LAYOUTS

    annotations: str | Mapping[str, str] | None = option(
        None, "the JSON by its path in the folder, or {split: JSON}; null: found by the names"
    )
    bbox: str = option("sizes", "what `bbox` is: sizes, as COCO has it, is x, y, width, height", ("sizes", "corners"))
    crowds: str = option(
        "ignore", "ignore objects of iscrowd 1, or learn them, as masks that CVAT exports", ("ignore", "learn")
    )
    divide: bool | None = divide_option()

    def read(self, request: Request) -> Source:
        """Read the JSON of each split, and assemble images, objects and masks."""
        if request.path is not None and request.path.is_file():
            name = request.path.name
            raise DataError(f"'{request.path}' is a file: name its folder, and data.options.annotations={name}.")
        root = layout.folder(request.path, "coco", "with annotations.json and images/ in it or in its train/")
        places = find(request.files, request, self.annotations)
        leave_others(request.files, places, request)
        chosen = _asked(root, places, request)
        filed = any(place.masks for place in chosen.values())
        form = Form(request.wants("segmentation") and not filed, self.bbox == "corners", crowds=self.crowds == "ignore")
        paths = {name: request.files.path(place.index) for name, place in chosen.items()}
        read = {paths[name]: read_index(paths[name], request.account, form) for name in chosen}
        bare = [path for path, index in read.items() if not index.categories]
        if bare and not filed:
            raise DataError(
                f"'{bare[0]}' has no categories, and so no classes: write them to its 'categories', as "
                '[{"id": 1, "name": "cat"}, ...], with the ids that its annotations have as category_id.'
            )
        categories = agree({path: (index.categories, index.used) for path, index in read.items()})
        entries = {name or "": entered(read[paths[name]], place, request) for name, place in chosen.items()}
        if not (named := {split for split in places if split}) or named <= set(request.splits):
            note_unlisted(request, entries, chosen.values())
        if None in places:
            numbered = {str(entry.number): entry for entry in entries[""]}
            entries = layout.divided_entries(root, numbered, request, self.divide)
        masks = None
        if filed:
            folders, names = [path.parent for path in read], ("background", *categories)
            masks = declared(root, folders, request.account, self.said, names)
        else:
            layout.mask_classes(root, [], request.account)  # it is to be sound even where there are no masks
        there = _labels(root, entries, categories, masks)
        return self.assembled(request, entries, there)


def _asked(root: Path, places: dict[str | None, Place], request: Request) -> dict[str | None, Place]:
    """Return the places of the splits asked for, or the one of all."""
    if None in places:
        return places
    named = {split: place for split, place in places.items() if split is not None}
    asked: dict[str | None, Place] = {}
    asked.update(layout.asked(root, named, request))
    return asked


def _labels(
    root: Path,
    entries: Mapping[str, list[Entry]],
    categories: tuple[str, ...],
    masks: labels.Label | None,
) -> list[labels.Label]:
    """Return the labels that some entry may have; `masks`: that of the files, if there are any."""
    there: list[labels.Label] = []
    if categories:
        there.append(labels.Presence(LabelSpec("classification", "multi_label", categories)))
        there.append(labels.Boxes(LabelSpec("detection", "detection", categories)))
    if masks:
        there.append(masks)
    elif any(a.segmentation for found in entries.values() for entry in found for a in entry.objects or ()):
        if len(categories) < IGNORE:
            there.append(labels.Outlines(LabelSpec("segmentation", "segmentation", ("background", *categories))))
        else:
            warnings.warn(
                f"'{root}' has outlines but no task 'segmentation': masks hold 254 categories at most, and there are "
                f"{len(categories)}.",
                stacklevel=3,
            )
    return there
