"""The source "voc": its options, and where its images, lists, XML files and masks are."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.sources.base import Format, option
from pipelines.sources.file_options import check_option, classes_option, divide_option
from pipelines.sources.files import labels, layout
from pipelines.sources.files.assembly import assemble
from pipelines.sources.files.classes import agree
from pipelines.sources.files.entries import Entry
from pipelines.sources.layouts import Layout, split_has
from pipelines.sources.voc.xml import read_xml
from pipelines.splits import ALIASES

VOC = (  # the classes of the challenge; their masks are numbered in this order
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


@dataclass(frozen=True)
class Voc(Format):
    """Pascal VOC: an XML file of boxes beside each image, lists of the splits, and palette masks of classes.

    The images are in `JPEGImages/` (or `images/`), the XML files of the same stems in `Annotations/`, the splits in
    `ImageSets/Main/{train,val,test}.txt`, and masks, where there are any, in `SegmentationClass/*.png`; or all of these
    in a folder per split.

    Tasks: "classification" (multi-label: the classes present), "detection" and "segmentation". An image without XML
    is not labelled for the first two, one without a mask not for the last.

    - Corners are pixels counted from 1, both inclusive, as VOC has them: xmin and ymin are moved by one.
    - "difficult" objects are neither learnt nor counted (class -2), and count as present.
    - Masks hold 0 for "background", then the classes; 255, VOC's border, is ignored. Their classes are those of
      `mask_classes.json` (`{"classes": [...], "ignore": 255}`) if there is one; else the challenge's twenty if no
      object is of another class; else "background" and the classes.
    """

    layouts = (
        Layout(
            "Pascal VOC",
            "Annotations/*.xml, JPEGImages/*.jpg and ImageSets/Main/train.txt, or all of these in train/ and val/",
            (split_has("Annotations/**/*.xml", "SegmentationClass/*.png"),),
        ),
    )

    lists: str = option(
        "Main",
        "the folder in ImageSets/ that has the lists, as Segmentation; without a list train, it is what is in trainval"
        " and not in val",
    )
    classes: Iterable[str] | None = classes_option()
    divide: bool | None = divide_option()
    check: str = check_option()

    def read(self, request: Request) -> Source:
        """Read the XML files of each split, and assemble images, objects and masks."""
        root = layout.folder(request.path, "voc", "with Annotations/ and JPEGImages/ in it")
        places = _splits(root, self.lists, self.divide, request)
        entries = {name: _entries(*found, request) for name, found in places.items()}
        known, entries = agree(entries, self.classes, request.account)
        filed, ignore = layout.mask_classes(root, layout.folders(root).values(), request.account) or (None, IGNORE)
        named = VOC if self.classes is None and set(known) <= set(VOC) else known
        there: list[labels.Label] = []
        if known:
            there.append(labels.Presence(LabelSpec("classification", "multi_label", known)))
            there.append(labels.Boxes(LabelSpec("detection", "detection", known)))
        if any(entry.mask for found in entries.values() for entry in found):
            masks = LabelSpec("segmentation", "segmentation", filed or ("background", *named))
            there.append(labels.MaskFiles(masks, ignore))
        if not there:
            raise DataError(
                f"Folder '{root}' has neither objects in Annotations/*.xml nor masks in SegmentationClass/."
            )
        return assemble(request, entries, there, self.check)


def _splits(root: Path, lists: str, divide: bool | None, request: Request) -> dict[str, tuple[Path, dict[str, Path]]]:
    """Find the splits: where each is, and its images by their stems."""
    nested = {name: place for name, place in layout.folders(root).items() if _is_voc(place)}
    if nested:
        found = layout.asked(root, nested, request)
        return {name: (place, _all_images(place, request.account)) for name, place in found.items()}
    if not _is_voc(root):
        raise DataError(
            f"Folder '{root}' is no Pascal VOC data set: expected Annotations/ or SegmentationClass/, and JPEGImages/."
        )
    if not (root / "ImageSets").is_dir():
        images = _all_images(root, request.account)
        return {name: (root, own) for name, own in layout.divided(root, images, request, divide).items()}
    return {name: (root, images) for name, images in _by_lists(root, lists, request).items()}


def _by_lists(root: Path, lists: str, request: Request) -> dict[str, dict[str, Path]]:
    """Find the images of each split that `ImageSets/` lists."""
    images, result = _images(root, request.account), {}
    files = {path.stem: path for path in sorted((root / "ImageSets" / lists).glob("*.txt"))}
    listed = {name: files[alias] for name, aliases in ALIASES.items() for alias in aliases if alias in files}
    if "train" not in listed and "trainval" in files:
        listed["train"] = files["trainval"]
    if not listed:
        raise DataError(f"Folder '{root / 'ImageSets' / lists}' has no list train.txt, val.txt or test.txt.")

    def find(stem: str) -> Path:
        if stem not in images:
            raise ValueError(f"image '{stem}' is missing from JPEGImages/")
        return images[stem]

    for name, path in layout.asked(root, listed, request).items():
        chosen = layout.listed(path, find, request.account)
        if path.stem == "trainval" and "validation" in listed:
            held_back = {line.strip() for line in layout.text(listed["validation"]).splitlines()}
            chosen = {stem: image for stem, image in chosen.items() if stem not in held_back}
        result[name] = chosen
    return result


def _is_voc(place: Path) -> bool:
    return (place / "Annotations").is_dir() or (place / "SegmentationClass").is_dir()


def _images(place: Path, account: Account) -> dict[str, Path]:
    folder = next((place / name for name in ("JPEGImages", "images") if (place / name).is_dir()), None)
    if folder is None:
        raise DataError(f"Folder '{place}' lacks its images: expected JPEGImages/.")
    return layout.by_stem(folder, account)


def _all_images(place: Path, account: Account) -> dict[str, Path]:
    """The images of a place without lists, where each XML file and mask must have its image."""
    images = _images(place, account)
    for folder, suffix in (("Annotations", ".xml"), ("SegmentationClass", ".png")):
        for path in layout.without_image(place / folder, suffix, images):
            account.lose(f"'{path}' has no image of its name.", path)
    return images


def _entries(place: Path, images: dict[str, Path], request: Request) -> list[Entry]:
    """Read the XML files of one split."""
    entries, account = [], request.account
    for stem, image in images.items():
        xml, mask = place / "Annotations" / f"{stem}.xml", place / "SegmentationClass" / f"{stem}.png"
        entry = Entry(image, xml, place="object {}", mask=mask if mask.is_file() else None)
        if xml.is_file():
            try:
                size, objects, wrong = read_xml(xml)
            except DataError as error:
                account.lose(str(error), image)
                account.note_loss(str(error), xml)
                continue
            account.meet(len(objects) + len(wrong), "boxes")
            for message in wrong:
                account.lose(f"'{xml}': {message}.", annotations=1)
            entry = replace(entry, size=size, objects=objects)
        entries.append(entry)
    return entries
