"""The source "yolo": its options, and from its files to images with objects."""

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.sources.base import option
from pipelines.sources.file_options import classes_option, divide_option
from pipelines.sources.files import labels, layout
from pipelines.sources.files.classes import name_list
from pipelines.sources.files.entries import Annotation, Entry
from pipelines.sources.files.format import MaskFormat
from pipelines.sources.files.masks.declaring import declared
from pipelines.sources.yolo.forms import MEANINGS, decide
from pipelines.sources.yolo.gathering import Gathered
from pipelines.sources.yolo.labels import replaced
from pipelines.sources.yolo.layouts import LAYOUTS
from pipelines.sources.yolo.lines import Page, read_page
from pipelines.sources.yolo.names import class_names, name_files
from pipelines.sources.yolo.objects import KEYPOINTS, TRACKS, read_objects
from pipelines.sources.yolo.settings import Settings, find_settings
from pipelines.sources.yolo.splits import find_splits

RULES = {KEYPOINTS: "keypoints, which no task learns", TRACKS: "ids of tracks, which no task learns"}
TWICE = "lines that a file has twice"


@dataclass(frozen=True)
class Yolo(MaskFormat):
    """YOLO: a text file of boxes or polygons for each image, and the names of the classes.

    - Ultralytics, Roboflow and CVAT: `data.yaml` with `names` (a list, or ids and names), and for each of `train`,
      `val` and `test` a folder of images, a text file that lists them, or several of these. Paths of another machine
      are taken as far as their ends are in DIR. Without any, the splits are `DIR/images/{train,val,test}/` or
      `DIR/{train,val,test}/images/`, or else `DIR/images/` is divided.
    - Label Studio and labelImg: `classes.txt` with a name a line, `images/` and `labels/`.
    - Darknet and CVAT: `obj.names`, `obj.data` and its lists, and `obj_train_data/` with the images and their text
      files; or `_darknet.labels` and both in `{train,valid,test}/`; or all in one folder.

    The labels of `.../images/a.jpg` are in `.../labels/a.txt`, or else beside it: a line an object, `class x y width
    height` with the centre, or `class x1 y1 x2 y2 x3 y3 ...`, all as fractions of the image. An image without a text
    file shows no object. Boxes may stick out of their image by 1% of its side, or 2 pixels, and are cut at its edge.

    Tasks: "classification" (multi-label: the classes present), "detection", and, where there are polygons,
    "segmentation" ("background" and the classes), for which an image with an object that is a mere box is not labelled.
    Of lines with keypoints (`kpt_shape`) and of oriented boxes the upright boxes are read, and no masks.
    With `masks_dir: masks` in data.yaml, as Ultralytics has it for semantic segmentation, or `mask_classes.json`
    (`{"classes": [...], "ignore": 255}`) beside it, or an option of the masks, "segmentation" is that of the PNG masks
    instead, `.../masks/a.png` of `.../images/a.jpg`; their classes are those of the option mask_colours, of the JSON or
    of a palette, as in the source "folder", or else `names`.
    """

    layouts = LAYOUTS

    classes: Iterable[str] | None = classes_option("those that a file names")
    settings: str | None = option(None, "the YAML file, where DIR has several; null: data.yaml, or the only one")
    lines: str = option(
        "auto",
        "what more than five numbers a line are; oriented: the corners of a box; auto: by kpt_shape and by evidence",
        MEANINGS,
    )
    divide: bool | None = divide_option()

    def read(self, request: Request) -> Source:
        """Read the names, find the splits, read the text file of each image, and assemble them."""
        root = layout.folder(request.path, "yolo", "with data.yaml in it")
        account, tree = request.account, request.files
        settings, files = find_settings(tree, self.settings, account), name_files(tree)
        classes = self._names(tree, settings, files, account)
        _claim(settings, account)
        folder = settings.masks if settings else None
        masks = self._masks(tree, folder, classes, account)
        splits = find_splits(tree, settings, files, request, self.divide, masks is not None)
        pages = {name: _pages(own, tree, account) for name, own in splits.items()}
        read = [(path, page.lines) for own in pages.values() for path, page in own.items()]
        if not read and not masks:
            raise DataError(f"Folder '{root}' has no labels: expected labels/*.txt for images/*.jpg.")
        form = decide(read, len(classes), settings.keypoints if settings else None, self.lines)
        if form.oriented:
            warnings.warn(
                f"'{root}': all polygons are parallelograms, and are taken for oriented boxes: the "
                "upright box around each is used, and no mask. The option lines=polygons reads them as outlines.",
                stacklevel=2,
            )

        def entries(own: Gathered, read: Mapping[Path, Page]) -> list[Entry]:
            found = []
            for name, text in own.labels.items():
                objects, index = list[Annotation](), tree.path(replaced(os.path.splitext(name)[0]) + ".txt")
                wrong = list[str]()
                if text:
                    index, page = text, read[text]
                    objects, wrong, aside = read_objects(page.lines, classes, form)
                    wrong = [*page.wrong, *wrong]
                    _count(index, page, wrong, aside, account)
                mask = replaced(os.path.splitext(name)[0], folder or "masks") + ".png" if masks else ""
                masked = tree.path(mask) if mask in there else None
                entry = Entry(tree.path(name), index, objects=objects, relative=True, place="line {}", mask=masked)
                found.append(replace(entry, lost=bool(wrong)))
            return found

        there = {*tree.names} if masks else set()
        found = {name: entries(own, pages[name]) for name, own in splits.items()}
        source = self.assembled(request, found, _labels(found, classes, masks, request))
        _tell_backgrounds(found, account)
        return source

    def _masks(
        self, tree: Tree, folder: str | None, classes: tuple[str, ...], account: Account
    ) -> labels.MaskFiles | None:
        """Return the label of the masks, where a file says that there are some, or an option is about those there."""
        filed, asked = layout.mask_classes(tree.root, [], account), any(each is not None for each in self.said)
        if not (folder or filed or (asked and any("masks" in name.split("/")[:-1] for name in tree.names))):
            return None
        found = declared(tree.root, [], account, self.said, classes)
        if found is None or found.legend or found.ignore is not None or filed:
            return found
        return replace(found, ignore=IGNORE)

    def _names(
        self, tree: Tree, settings: Settings | None, files: dict[str, tuple[str, ...]], account: Account
    ) -> tuple[str, ...]:
        given = None if self.classes is None else name_list(self.classes, "classes")
        named = given or (settings.names if settings else None)
        classes = class_names(files, tree, settings.path if settings and not given else None, named, account)
        if classes is None and settings:
            raise DataError(
                f"'{settings.path}': names is None, expected a list of class names; they may be in classes.txt too, or "
                "be given by the option classes."
            )
        if classes is None:
            above = next((p for p in sorted(tree.root.absolute().parent.glob("*.y*ml"))), None)
            hint = f" '{above}' lies above it: if that is the one, give its folder." if above else ""
            raise DataError(
                f"Folder '{tree.root}' is no YOLO data set: expected data.yaml with the names of the classes, or "
                f"classes.txt, obj.names or _darknet.labels with a name a line; or give the option classes.{hint}"
            )
        return classes


def _claim(settings: Settings | None, account: Account) -> None:
    if settings:
        unused = f"; keys not used: {', '.join(settings.unused)}" if settings.unused else ""
        account.use(settings.path, f"class names and splits{unused}")


def _pages(own: Gathered, tree: Tree, account: Account) -> dict[Path, Page]:
    """Read the text files of a split; an image is lost with one that is no text."""
    found: dict[Path, Page] = {}
    for name, path in list(own.labels.items()):
        if path is not None:
            try:
                found[path] = read_page(path)
            except DataError as error:
                account.lose(str(error), path)
                account.note_loss(str(error), tree.path(name))
                del own.labels[name]
    return found


def _count(path: Path, page: Page, wrong: list[str], aside: Mapping[str, int], account: Account) -> None:
    """Account for the lines of a file, and for what they have beside objects."""
    account.meet(len(page.lines) + len(page.wrong) + page.repeated, "lines")
    if page.repeated:
        account.leave_annotations(TWICE, page.repeated)
    for what, count in aside.items():
        if count:
            account.meet(count, what)
            account.leave_annotations(RULES[what], count)
    for message in wrong:
        account.lose(f"'{path}': {message}.", annotations=1)


def _labels(
    entries: Mapping[str, list[Entry]],
    classes: tuple[str, ...],
    masks: labels.MaskFiles | None,
    request: Request,
) -> list[labels.Label]:
    """Return the labels that there are."""
    found = [entry for own in entries.values() for entry in own]
    there: list[labels.Label] = []
    if any(entry.index.is_file() for entry in found):
        there.append(labels.Presence(LabelSpec("classification", "multi_label", classes)))
        there.append(labels.Boxes(LabelSpec("detection", "detection", classes)))
    if masks and any(entry.mask for entry in found):
        there.append(masks)
    elif len(classes) < IGNORE and any(a.segmentation for entry in found for a in entry.objects or ()):
        there.append(labels.Outlines(LabelSpec("segmentation", "segmentation", ("background", *classes))))
        mere = sum(not all(a.segmentation for a in entry.objects or ()) for entry in found)
        if mere and request.wants("segmentation"):
            warnings.warn(
                f"'{request.path}': {mere} of {len(found)} images have an object that is a mere box beside polygons "
                "of others: they are not labelled for segmentation.",
                stacklevel=2,
            )
    if not there:
        raise DataError(f"Folder '{request.path}' has no labels: expected labels/*.txt for images/*.jpg.")
    return there


def _tell_backgrounds(entries: Mapping[str, list[Entry]], account: Account) -> None:
    """Say of each image without a text file that it is taken to show no object."""
    for split, own in entries.items():
        for entry in own:
            if not entry.index.is_file() and account.loss(entry.image) is None:
                account.use(entry.image, f"image of {split}, without labels: background")
