"""The source "yolo": its options, its settings file, and where its images and text files are."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.accounts.account import Account
from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.sources.file_options import check_option, divide_option
from pipelines.sources.files import labels, layout
from pipelines.sources.files.assembly import assemble
from pipelines.sources.files.entries import Entry, inside
from pipelines.sources.files.format import FileFormat
from pipelines.sources.layouts import Layout, Sign, has, split_has
from pipelines.sources.yolo.lines import read_lines
from pipelines.splits import ALIASES

SEMANTIC = "semantic.yaml"  # what `pipelines.convert` writes beside data.yaml, for Ultralytics to train on the masks


@dataclass(frozen=True)
class Yolo(FileFormat):
    """YOLO: a text file of boxes or polygons for each image, and data.yaml with the splits and the class names.

    That file has `names` (a list, or ids and names), and for each of `train`, `val` and `test` a folder of images, a
    text file that lists them, or several of these, relative to DIR. Without any of them, the splits are
    `DIR/images/{train,val,test}/` or `DIR/{train,val,test}/images/`, or else `DIR/images/` is divided. The labels of
    `.../images/a.jpg` are in `.../labels/a.txt`: a line an object, `class x y width height` with the centre, or
    `class x1 y1 x2 y2 x3 y3 ...`, all as fractions of the image. An image without a file has no objects.

    Tasks: "classification" (multi-label: the classes present), "detection", and, where there are polygons,
    "segmentation" ("background" and the classes), for which an image with an object that is a mere box is not labelled.
    With `masks_dir: masks` in data.yaml, as Ultralytics has it for semantic segmentation, or `mask_classes.json`
    (`{"classes": [...], "ignore": 255}`) beside it, "segmentation" is that of the PNG masks of class ids instead,
    `.../masks/a.png` of `.../images/a.jpg`; their classes are those of the JSON, or else `names`.
    """

    layouts = (
        Layout(
            "YOLO, as Ultralytics has it",
            "data.yaml, images/train/*.jpg and labels/train/*.txt, or train/images/ and train/labels/",
            (has("*.yaml", "*.yml"), split_has("labels/**/*.txt")),
            covers=("images and masks",),
        ),
        Layout(
            "YOLO's masks, as Ultralytics has them",
            "data.yaml with masks_dir, images/train/*.jpg and masks/train/*.png",
            (Sign("masks_dir in data.yaml", lambda tree: _has_masks(tree.root)),),
            covers=("images and masks",),
        ),
    )

    divide: bool | None = divide_option()
    check: str = check_option()

    def read(self, request: Request) -> Source:
        """Read the settings file and the text file of each image, and assemble them."""
        root = layout.folder(request.path, "yolo", "with data.yaml in it")
        path = settings_file(root)
        if path is None:
            raise DataError(f"Folder '{root}' is no YOLO data set: expected data.yaml with the names of the classes.")
        content = _parse(path)
        request.account.use(path, "class names and splits")
        classes = _names(content, path)
        images = _splits(root, path, content, self.divide, request)
        if (root / SEMANTIC).is_file() and path.name != SEMANTIC:
            request.account.leave(root / SEMANTIC, "the same set by its masks alone")
        masks = _mask_folder(content, path)
        named = layout.mask_classes(root, [], request.account) or (
            (classes, IGNORE) if content.get("masks_dir") else None
        )
        entries = {
            name: [_entry(image, classes, named and masks, request.account) for image in found]
            for name, found in images.items()
        }
        all_entries = [entry for found in entries.values() for entry in found]
        there: list[labels.Label] = []
        if any(entry.index.is_file() for entry in all_entries):
            there.append(labels.Presence(LabelSpec("classification", "multi_label", classes)))
            there.append(labels.Boxes(LabelSpec("detection", "detection", classes)))
        if named and any(entry.mask for entry in all_entries):
            there.append(labels.MaskFiles(LabelSpec("segmentation", "segmentation", named[0]), named[1]))
        elif any(a.segmentation for entry in all_entries for a in entry.objects or ()) and len(classes) < IGNORE:
            there.append(labels.Outlines(LabelSpec("segmentation", "segmentation", ("background", *classes))))
        if not there:
            raise DataError(f"Folder '{root}' has no labels: expected labels/*.txt for images/*.jpg.")
        return assemble(request, entries, there, check=self.check, reading=self.pictures_as)


def settings_file(root: Path) -> Path | None:
    """Return `data.yaml`, or else the only YAML file there is."""
    files = sorted([*root.glob("*.yaml"), *root.glob("*.yml")])
    named = [path for path in files if path.stem == "data"]
    return named[0] if named else files[0] if len(files) == 1 else None


def _parse(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"'{path}' is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise DataError(f"'{path}' must have keys, 'names' among them.")
    return content


def _names(content: dict[str, Any], path: Path) -> tuple[str, ...]:
    names = content.get("names")
    if isinstance(names, dict):
        if sorted(names) != list(range(len(names))):
            raise DataError(f"'{path}': names: the ids must be 0 to {len(names) - 1}, each once.")
        names = [names[i] for i in range(len(names))]
    if not isinstance(names, list) or not names or len(set(map(str, names))) < len(names):
        raise DataError(f"'{path}': names is {names!r}, expected a list of class names, all different.")
    if content.get("nc", len(names)) != len(names):
        raise DataError(f"'{path}': nc is {content['nc']!r}, but there are {len(names)} names.")
    return tuple(map(str, names))


def _has_masks(root: Path) -> bool:
    """Whether the settings file names a folder of masks."""
    path = settings_file(root) if root.is_dir() else None
    return path is not None and re.search(rb"^masks_dir:", path.read_bytes(), re.MULTILINE) is not None


def _mask_folder(content: dict[str, Any], path: Path) -> str:
    """The name of the folder of masks."""
    name = content.get("masks_dir") or "masks"
    if not isinstance(name, str) or "/" in name.strip("/"):
        raise DataError(f"'{path}': masks_dir is {name!r}, expected the name of a folder beside images/.")
    if content.get("masks_dir") and content.get("label_mapping"):
        raise DataError(
            f"'{path}': label_mapping is not read: write the masks again with the ids of names, and 255 for ignored."
        )
    return name.strip("/")


def _splits(
    root: Path, path: Path, content: dict[str, Any], divide: bool | None, request: Request
) -> dict[str, list[Path]]:
    """Find the images of each split."""
    keys = {split: key for split, aliases in ALIASES.items() for key in aliases if content.get(key)}
    if keys:
        found = {}
        for split, key in layout.asked(root, keys, request).items():
            values = content[key] if isinstance(content[key], list) else [content[key]]
            places = [_resolve(root, value, content, f"'{path}': {key}") for value in values]
            found[split] = [image for place in places for image in _images(place, request.account)]
        return found
    inner, outer = layout.folders(root / "images"), layout.folders(root)
    if inner or outer:
        asked = layout.asked(root, inner or outer, request)
        return {split: _images(place, request.account) for split, place in asked.items()}
    images = {image.relative_to(root).as_posix(): image for image in _images(root / "images", request.account)}
    return {split: list(own.values()) for split, own in layout.divided(root, images, request, divide).items()}


def _resolve(root: Path, value: object, content: dict[str, Any], where: str) -> Path:
    """Find the place that data.yaml names; exports say "../train/images" where they mean "train/images"."""
    if not isinstance(value, str):
        raise DataError(f"{where} is {value!r}, expected a folder or a text file.")
    inner = value
    while inner.startswith("../"):
        inner = inner.removeprefix("../")
    if Path(inner).is_absolute() and Path(inner).is_relative_to(root.absolute()):
        inner = str(Path(inner).relative_to(root.absolute()))
    try:
        inside(inner, "it")
    except ValueError:
        raise DataError(f"{where} is '{value}', which leads out of the folder '{root}'.") from None
    base = str(content.get("path") or ".")
    for place in (root / inner, *([root / base / inner] if _is_inside(base) else [])):
        if place.exists():
            return place
    raise DataError(f"{where} is '{value}', which is missing from '{root}'.")


def _is_inside(name: str) -> bool:
    try:
        return bool(inside(name))
    except ValueError:
        return False


def _images(place: Path, account: Account) -> list[Path]:
    """The images in a folder, or in a text file that lists them relative to itself."""
    if place.is_dir():
        images = layout.by_stem(place, account)
        labels = _labels_of(place / "name.jpg").parent
        if labels != place:
            for path in layout.without_image(labels, ".txt", [*images, "classes"]):  # tools leave classes.txt there
                account.lose(f"'{path}' has no image of its name in '{place}'.", path)
        return list(images.values())
    return list(layout.listed(place, place.parent.joinpath, account).values())


def _entry(image: Path, classes: tuple[str, ...], masks: str | None, account: Account) -> Entry:
    """Read the labels of one image; its mask is looked for in a folder of this name."""
    path, mask = _labels_of(image), _labels_of(image, masks, ".png") if masks else None
    objects, wrong = read_lines(path, classes) if path.is_file() else ([], [])
    account.meet(len(objects) + len(wrong), "lines")
    for message in wrong:
        account.lose(f"'{path}': {message}.", annotations=1)
    there = mask if mask and mask.is_file() else None
    return Entry(image, path, objects=objects, relative=True, place="line {}", mask=there)


def _labels_of(image: Path, folder: str = "labels", suffix: str = ".txt") -> Path:
    """The text file of an image, or another: the last folder called images is called labels instead."""
    parts = list(image.with_suffix(suffix).parts)
    for place in reversed(range(len(parts) - 1)):
        if parts[place] == "images":
            parts[place] = folder
            break
    return Path(*parts)
