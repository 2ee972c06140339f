"""How a YOLO data set lies in its folder, and the signs of it: text files of numbers, and the names of the classes."""

import os
import re
from collections.abc import Iterator

from pipelines.accounts.tree import Tree, below
from pipelines.sources.files.layout import is_picture
from pipelines.sources.layouts import FOLDERS_ALONE, Layout, Sign
from pipelines.sources.yolo.lines import is_label, is_odd_label
from pipelines.splits import split_named

NAMES = ("classes.txt", "*.names", "_darknet.labels")
PARTS = re.compile(r"obj_(.+)_data", re.IGNORECASE)  # the folder of a subset, as CVAT and Datumaro have it
PARTED = ("images", "labels")  # folders of a data set, which are none by themselves
ASKED = 50  # files that are opened to see what they hold


def homes(tree: Tree) -> list[str]:
    """Return the folders that may hold a data set: the one given, and those in it, as an unpacked archive has one.

    Those that hold nothing but one folder are gone through.
    """
    found = [""]
    for name in tree.inner():
        while not split_named(name):
            found.append(name)
            inner = tree.inner(name)
            if tree.folders[name] or len(inner) != 1 or inner[0].lower() in PARTED:
                break
            name = f"{name}/{inner[0]}"
    return found


def settings_files(tree: Tree, home: str) -> list[str]:
    """Return the YAML files directly in the folder of a data set."""
    return [name for end in ("yaml", "yml") for name in tree.like(f"*.{end}", home)]


def _settings(tree: Tree) -> bool:
    return any(settings_files(tree, home) for home in homes(tree))


def _has_masks(tree: Tree) -> bool:
    """Whether a settings file names a folder of masks."""
    files = (tree.path(name) for home in homes(tree) for name in settings_files(tree, home))
    return any(re.search(rb"^masks_dir:", path.read_bytes(), re.MULTILINE) for path in files)


def _names(tree: Tree) -> bool:
    return any(tree.has(f"**/{name}") for name in NAMES)


def _label_files(tree: Tree) -> Iterator[str]:
    """Yield the text files in `labels/` of the data set or of a split of it."""
    for home in homes(tree):
        for place in (home, *(below(home, name) for name in tree.inner(home) if split_named(name))):
            labels = [below(place, name) for name in tree.inner(place) if name.lower() == "labels"]
            yield from (name for folder in labels for name in tree.within(folder) if name[-4:].lower() == ".txt")


def beside(tree: Tree) -> Iterator[str]:
    """Yield the text files that have a picture of their name beside them, or lie where CVAT puts those without."""
    for folder, files in tree.folders.items():
        texts = [name for name in files if name.lower().endswith(".txt")]
        if not texts:
            continue
        stems = {os.path.splitext(name)[0] for name in files if is_picture(name)}
        own = PARTS.fullmatch(folder.rpartition("/")[2])
        yield from (below(folder, name) for name in texts if own or name[:-4] in stems)


def _labels(tree: Tree, names: Iterator[str], odd: bool = False) -> bool:
    """Whether files hold lines of numbers: one does, or all say nothing; `odd`: or say it so that it can be mended."""
    asked = [tree.path(name) for name, _ in zip(names, range(ASKED), strict=False)]
    answers = [is_label(path) for path in asked]
    if any(answers) or all(answer is None for answer in answers):
        return bool(answers)
    return odd and any(is_odd_label(path) for path in asked)


YAML = Sign("data.yaml", _settings)
CLASSES = Sign("the names of the classes in classes.txt, *.names or _darknet.labels", _names)
LABELS = Sign("labels/*.txt, of numbers", lambda tree: _labels(tree, _label_files(tree)))
NEARLY = Sign(
    LABELS.words, lambda tree: _labels(tree, _label_files(tree), odd=True)
)  # what is odd is told as they are read
BESIDE = Sign("*.txt, of numbers, beside the pictures", lambda tree: _labels(tree, beside(tree)))

LAYOUTS = (
    Layout(
        "YOLO, as Ultralytics has it",
        "data.yaml, images/train/*.jpg and labels/train/*.txt, or train/images/ and train/labels/",
        (YAML, NEARLY),
        FOLDERS_ALONE,
    ),
    Layout(
        "YOLO, as Label Studio has it",
        "classes.txt, images/*.jpg and labels/*.txt",
        (CLASSES, LABELS),
        FOLDERS_ALONE,
    ),
    Layout(
        "YOLO, as Darknet and CVAT have it",
        "obj.names, obj.data, train.txt and obj_train_data/*.jpg with a *.txt beside each, or these with classes.txt",
        (CLASSES, BESIDE),
        FOLDERS_ALONE,
    ),
    Layout(
        "YOLO's masks, as Ultralytics has them",
        "data.yaml with masks_dir, images/train/*.jpg and masks/train/*.png",
        (Sign("masks_dir in data.yaml", lambda tree: _has_masks(tree)),),
        FOLDERS_ALONE,
    ),
    Layout("YOLO of one folder", "data.yaml, and *.jpg with a *.txt beside each", (YAML, BESIDE), FOLDERS_ALONE),
)
