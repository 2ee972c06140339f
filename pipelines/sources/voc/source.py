"""The source "voc": its options, and what of its files is what label."""

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.sources.base import option
from pipelines.sources.file_options import classes_option, divide_option
from pipelines.sources.files import labels, layout
from pipelines.sources.files.classes import agree
from pipelines.sources.files.entries import CUT, Entry
from pipelines.sources.files.format import MaskFormat
from pipelines.sources.files.masks.declaring import declared
from pipelines.sources.files.masks.legends import Legend
from pipelines.sources.voc.labelmap import BACKGROUND, LabelMap, read_class_names, read_labelmap
from pipelines.sources.voc.layouts import LAYOUTS
from pipelines.sources.voc.objects import Reading
from pipelines.sources.voc.places import Place
from pipelines.sources.voc.splits import Splits, find_splits
from pipelines.sources.voc.xml import read_xml

VOC = (  # the classes of the challenge; their masks are numbered in this order
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
VOID = (224, 224, 192)  # the colour of VOC's border, which is 255


@dataclass(frozen=True)
class Voc(MaskFormat):
    """Pascal VOC: an XML file of boxes for each image, lists of the splits, and masks of classes; as CVAT has it too.

    The images are in `JPEGImages/` (or `images/`), the XML files of the same stems in `Annotations/`, the splits in
    `ImageSets/Main/{train,val,test}.txt`, and masks, where there are any, in `SegmentationClass/*.png`; or all of these
    in a folder per split; or XML files lie beside the pictures, as labelImg and Roboflow write them. The data may lie
    further down, as in `VOCdevkit/VOC2012/`.

    Tasks: "classification" (multi-label: the classes present), "detection" and "segmentation" (of masks, or else of the
    outlines that Roboflow and LabelMe's web tool write). An image without XML is not labelled for the first two, one
    without a mask not for the last.

    - An XML file is that of the image of its own name; where there is none, of the one that its <filename> names.
    - Corners are pixels counted from 1, both inclusive, as VOC has them: xmin and ymin are moved by one. With the
      `labelmap.txt` of CVAT or the `class_names.txt` of labelme beside them they are edges counted from 0, as these
      write them; so are the classes those that are named there.
    - "difficult" objects are neither learnt nor counted (class -2), and count as present. Pose, "truncated" and
      "occluded" are not read; parts of objects are no objects.
    - Masks hold 0 for "background", then the classes; 255, VOC's border, is ignored. Their classes are those of
      `mask_classes.json` (`{"classes": [...], "ignore": 255}`) if there is one; else those of `labelmap.txt`, by their
      colours; else the challenge's twenty if no object is of another class; else "background" and the classes.
    """

    layouts = LAYOUTS

    lists: str = option(
        "Main",
        "the folder in ImageSets/ that has the lists, as Segmentation; without a list train, it is what is in trainval"
        " and not in val",
    )
    classes: Iterable[str] | None = classes_option("those of labelmap.txt, or else those")
    first_pixel: int | None = option(
        None,
        "what corners count from: 1, as VOC does, or 0; null: 0 with labelmap.txt or class_names.txt, else 1",
    )
    divide: bool | None = divide_option()

    def read(self, request: Request) -> Source:
        """Read the XML files of each split, and assemble images, objects and masks."""
        root = layout.folder(request.path, "voc", "with Annotations/ and JPEGImages/ in it")
        if self.first_pixel not in (0, 1, None):
            raise DataError(f"Option first_pixel is {self.first_pixel!r}: expected 0 or 1.")
        splits = find_splits(request, self.lists, self.divide)
        labelmap = _labelmap(splits, request.account)
        reading = Reading(int(labelmap is None) if self.first_pixel is None else self.first_pixel)
        entries = {name: _entries(place, names, reading, request) for name, (place, names) in splits.items()}
        for words, count in reading.odd.items():
            if count:
                request.account.alter(words, count)
            if count and words != CUT:
                warnings.warn(
                    f"In '{root}' {'are' if count > 1 else 'is'} {count} box{'es' if count > 1 else ''} {words}.",
                    stacklevel=2,
                )
        given = labelmap.classes if labelmap and self.classes is None else self.classes
        known, entries = agree(entries, given, request.account)
        there: list[labels.Label] = []
        found = [entry for own in entries.values() for entry in own]
        if known and any(entry.objects is not None for entry in found):
            there.append(labels.Presence(LabelSpec("classification", "multi_label", known)))
            there.append(labels.Boxes(LabelSpec("detection", "detection", known)))
        if any(entry.mask for entry in found):
            there.append(self._masks(splits, labelmap, known, request.account))
        elif len(known) < IGNORE and any(a.segmentation for entry in found for a in entry.objects or ()):
            there.append(labels.Outlines(LabelSpec("segmentation", "segmentation", ("background", *known))))
        if not there:
            raise DataError(
                f"Folder '{root}' has neither objects in Annotations/*.xml nor masks in SegmentationClass/."
                f"{request.problems.first}"
            )
        return self.assembled(request, entries, there)

    def _masks(
        self, splits: Splits, labelmap: LabelMap | None, known: tuple[str, ...], account: Account
    ) -> labels.MaskFiles:
        """Return the label of the masks, by what the options, the files beside them and the objects say."""
        named = VOC if self.classes is None and set(known) <= set(VOC) else known
        names, legend = (BACKGROUND, *named), None
        if labelmap and self.mask_colours is None:
            colours = tuple(labelmap.colours.values())
            void = () if VOID in colours else (VOID,)
            legend = Legend(tuple(labelmap.colours), colours, ignored=void, file=labelmap.path)
        places = [place.root for place, _ in splits.values()]
        found = declared(places[0], places, account, self.said, names, legend)
        assert found is not None  # since there are names
        return found if found.ignore is not None else replace(found, ignore=IGNORE)


def _labelmap(splits: dict[str, tuple[Place, list[str]]], account: Account) -> LabelMap | None:
    """Read `labelmap.txt` or `class_names.txt`, if there is one, of the first split that has it.

    Raises:
        DataError: it is malformed, or that of another split differs.
    """
    places = dict.fromkeys(place.root for place, _ in splits.values())
    readers = {"labelmap.txt": read_labelmap, "class_names.txt": read_class_names}
    files = [(root / name, read) for root in places for name, read in readers.items() if (root / name).is_file()]
    maps = [own for path, read in files if (own := read(path))]
    for own in maps:
        account.use(own.path, "class names and colours")
        if own.colours != maps[0].colours:
            raise DataError(f"'{own.path}': the classes or colours are not those of '{maps[0].path}'.")
    return maps[0] if maps else None


def _entries(place: Place, names: list[str], reading: Reading, request: Request) -> list[Entry]:
    """Read the XML files of one split."""
    entries, account, others = [], request.account, list[Path]()
    for name in names:
        image, xml = place.images[name], place.xmls.get(name)
        index = xml or place.root / "Annotations" / f"{name}.xml"
        entry = Entry(image, index, place="object {}", mask=place.masks.get(name))
        if xml:
            try:
                page = read_xml(xml, reading)
            except DataError as error:
                account.lose(str(error), image)
                account.note_loss(str(error), xml)
                continue
            if place.image_of(os.path.splitext(page.filename)[0]) not in (None, name):
                others.append(xml)
            account.meet(len(page.objects) + len(page.wrong), "boxes")
            for message in page.wrong:
                account.lose(f"'{xml}': {message}.", annotations=1)
            for rule, count in page.aside.items():
                account.meet(count, "details of objects")
                account.leave_annotations(rule, count)
            entry = replace(entry, size=page.size, objects=page.objects, lost=bool(page.wrong))
        entries.append(entry)
    if others:
        having = f"{len(others)} XML files have" if len(others) > 1 else "1 XML file has"
        text = "the name of one image and another's as <filename>: the image of the file's own name is taken"
        warnings.warn(f"{having} {text} (the first: '{others[0]}').", stacklevel=2)
    return entries
