"""The source "labelme": its options, and what of its files is what label."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.pixels import pictures
from pipelines.sources.file_options import classes_option, divide_option
from pipelines.sources.files import labels, layout
from pipelines.sources.files.classes import agree
from pipelines.sources.files.entries import CUT, Annotation, Entry, corners, is_cut
from pipelines.sources.files.format import FileFormat
from pipelines.sources.labelme.page import Page
from pipelines.sources.labelme.places import Sheet, is_there, read_sheets
from pipelines.sources.labelme.shapes import Shape, joined, read_shape
from pipelines.sources.layouts import FOLDERS_ALONE, Layout, Sign
from pipelines.splits import SPLITS

IGNORED, BACKGROUND = "__ignore__", "_background_"  # labels of labelme's own
LABELS_FILE, FLAGS_FILE = "labels.txt", "flags.txt"


@dataclass(frozen=True)
class Labelme(FileFormat):
    """labelme: a JSON file of polygons, rectangles, circles and masks for each image.

    The JSON files lie beside the images or in a folder of their own, all in DIR or in folders of the splits. An image
    is the one that `imagePath` names; where that is not there, the one of the JSON file's own name. Pixels embedded as
    `imageData` are not read. An image without a JSON file is not labelled.

    Tasks: "classification" (multi-label: the classes present), "detection" and "segmentation" ("background" and the
    classes). Where nothing is drawn in any image, "classification" is of the flags of the images.

    - Shapes of one label and one `group_id` are one object: the box around them all, and all their outlines.
    - Points and lines have no area, and are set aside; so are shapes labelled `_background_`, flags of shapes, and
      flags of images where something is drawn. What is labelled `__ignore__` is a region to ignore.
    - Circles that cross the edge of the image are cut there.
    - `labels.txt`, if there is one, has the class names in the order of their ids.
    """

    layouts = (
        Layout(
            "labelme",
            "a.jpg and a.json, or train/a.jpg and train/a.json, with 'shapes' and 'imagePath' in them",
            (Sign("JSON files with 'shapes' and 'imagePath'", is_there),),
            covers=FOLDERS_ALONE,
        ),
    )

    classes: Iterable[str] | None = classes_option("those of labels.txt, or else those")
    divide: bool | None = divide_option()

    def read(self, request: Request) -> Source:
        """Read the JSON files, and assemble images and objects."""
        root = layout.folder(request.path, "labelme", "with images and a JSON file of each in it")
        sheets = read_sheets(request.files, request.account)
        flagged = not any(sheet.page and sheet.page.shapes for sheet in sheets)
        splits = _splits(root, sheets, request, self.divide)
        entries = {
            name: [_entry(sheet, request.account, flagged, self.exif) for sheet in own] for name, own in splits.items()
        }
        found = [entry for own in entries.values() for entry in own]
        listed = _listed(request, {a.category for entry in found for a in entry.objects or ()}, self.classes is None)
        if flagged:
            names = tuple(dict.fromkeys(name for entry in found for name in entry.presence or ()))
            if not names:
                empty = f"Folder '{root}' has JSON of labelme, but nothing is drawn or ticked in any."
                raise DataError(empty + request.problems.first)
            there: list[labels.Label] = [labels.Presence(LabelSpec("classification", "multi_label", names))]
            return self.assembled(request, entries, there)
        known, entries = agree(entries, listed if self.classes is None else self.classes, request.account)
        if not known:
            empty = f"Folder '{root}' has JSON of labelme, but no shape in it is an object of a class."
            raise DataError(empty + request.problems.first)
        there = [
            labels.Presence(LabelSpec("classification", "multi_label", known)),
            labels.Boxes(LabelSpec("detection", "detection", known)),
        ]
        if len(known) < IGNORE:
            there.append(labels.Outlines(LabelSpec("segmentation", "segmentation", ("background", *known))))
        return self.assembled(request, entries, there)


def _splits(root: Path, sheets: list[Sheet], request: Request, divide: bool | None) -> dict[str, list[Sheet]]:
    """Return the images of each split asked for: by folders named so, else by a division."""
    if not any(sheet.split for sheet in sheets):
        named = {sheet.name: sheet for sheet in sheets}
        return {split: list(own.values()) for split, own in layout.divided(root, named, request, divide).items()}
    ordered = {split: [sheet for sheet in sheets if sheet.split == split] for split in SPLITS}
    asked = layout.asked(root, {split: own for split, own in ordered.items() if own}, request)
    for sheet in sheets:
        if sheet.split not in asked:
            rule = f"of split {sheet.split}, not asked for" if sheet.split else "in no folder of a split"
            for file in (sheet.image, sheet.json):
                if file:
                    request.account.leave(file, rule)
    return asked


def _entry(sheet: Sheet, account: Account, flagged: bool, exif: str) -> Entry:
    """Read what was drawn in an image; `flagged`: what was ticked is the label; `exif`, the option."""
    if sheet.page is None or sheet.json is None:
        return Entry(sheet.image, sheet.image.parent)
    page, entry = sheet.page, Entry(sheet.image, sheet.json, sheet.page.size, place="shape {}")
    if flagged:
        account.meet(len(page.flags), "flags")
        ticked = {name: float(value) for name, value in page.flags.items() if name != IGNORED}
        account.leave_annotations(f"the flag {IGNORED}", len(page.flags) - len(ticked))
        return replace(entry, presence=ticked)
    _aside(account, "a flag of an image, beside what is drawn", len(page.flags), "flags")
    size = page.size or _size(sheet.image, exif)
    if size is None:  # which is told when the image is read
        return replace(entry, objects=[])
    objects, lost = _objects(entry, page, size, account)
    return replace(entry, size=size, objects=objects, lost=lost)


def _objects(entry: Entry, page: Page, size: tuple[int, int], account: Account) -> tuple[list[Annotation], bool]:
    """Return what is drawn in an image, and whether something is that cannot be used."""
    shapes, cut, lost = list[Shape](), 0, False
    for number, shape in enumerate(page.shapes, 1):
        try:
            if not isinstance(shape, dict):
                raise ValueError(f"{shape!r} is no shape")
            found = read_shape(shape, number, size)
            if found is None:
                lost = True
                _aside(account, f"a {shape['shape_type']}, which has no area", 1, "shapes")
            elif found.label == BACKGROUND:
                _aside(account, f"labelled {BACKGROUND}", 1, "shapes")
            else:
                box = corners(found.box, size)
                cut += found.crosses or is_cut(box, found.box)
                shapes.append(replace(found, box=box))
            ticked = shape.get("flags") or {}
            _aside(
                account,
                "a flag of a shape",
                sum(map(bool, ticked.values())) if isinstance(ticked, dict) else 1,
                "flags",
            )
        except ValueError as error:
            account.meet(1, "shapes")
            account.lose(f"{entry.at(number)}: {error}.", annotations=1)
            lost = True
    objects = joined(shapes, size)
    account.meet(len(objects), "shapes")
    for words, count in ((CUT, cut), ("joined with others of their group_id", len(shapes) - len(objects))):
        if count:
            account.alter(words, count)
    return [
        Annotation(s.box, "" if s.label == IGNORED else s.label, s.label == IGNORED, s.outline, s.number)
        for s in objects
    ], lost


def _aside(account: Account, rule: str, count: int, what: str) -> None:
    if count:
        account.meet(count, what)
        account.leave_annotations(rule, count)


def _size(image: Path, exif: str) -> tuple[int, int] | None:
    """Return height and width of an image as labelme shows it, upright; None where it cannot be read."""
    try:
        header = pictures.inspect(image)
    except DataError:
        return None
    return (header.height, header.width) if exif == "stored" else header.upright


def _listed(request: Request, used: set[str], wanted: bool) -> tuple[str, ...] | None:
    """Return the class names of `labels.txt`, if some are those used."""
    names: tuple[str, ...] | None = None
    for name in request.files.names:
        last = name.rpartition("/")[2].lower()
        if last == FLAGS_FILE:
            request.account.leave(request.files.path(name), "names of flags")
        if last != LABELS_FILE:
            continue
        path = request.files.path(name)
        lines = [line.strip() for line in layout.text(path).splitlines() if line.strip()]
        own = tuple(dict.fromkeys(line for line in lines if line not in (IGNORED, BACKGROUND)))
        if not wanted:
            request.account.leave(path, "class names, which the option classes gives")
        elif used & set(own):
            request.account.use(path, "class names")
            if names not in (None, own):
                raise DataError(f"'{path}' has other class names than another labels.txt: give the option classes.")
            names = own
    return names
