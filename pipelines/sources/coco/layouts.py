"""How COCO's data sets lie in their folders, and which JSON files in one may be of it."""

import re
from pathlib import PurePosixPath

from pipelines.accounts.tree import Tree, below
from pipelines.sources.coco.peeking import Kind, peek
from pipelines.sources.layouts import FOLDERS_ALONE, Layout, Sign
from pipelines.splits import split_within

MANY = 24  # JSON files in a folder, of which each is then of one picture, and of another format
DEEP = 4  # parts of the path of an index at most
KNOWN = re.compile(
    r"_?annotations(\.coco)?|(instances|person_keypoints)([-_].*)?", re.IGNORECASE
)  # names that tools give
UNTOLD = (Kind.OTHER, Kind.UNREADABLE)  # kinds of which a known name decides: the reading then says what is wrong


def indices(tree: Tree) -> dict[str, Kind]:
    """Return the JSON files of a tree that may be COCO's, labels or not, by their names, and what each holds."""
    found = {}
    for folder, files in tree.folders.items():
        jsons = [file for file in files if file.lower().endswith(".json")]
        if not jsons or folder.count("/") > DEEP - 2:
            continue
        if len(jsons) > MANY:
            jsons = [file for file in jsons if KNOWN.fullmatch(file[:-5])]
        for file in jsons:
            name = below(folder, file)
            kind = peek(tree.path(name))
            if kind is not Kind.OTHER or KNOWN.fullmatch(file[:-5]):
                found[name] = kind
    return found


def of_labels(name: str, kind: Kind) -> bool:
    """Whether a file is to be read as labels: it holds some, or is called as if it did."""
    return kind is Kind.LABELS or (kind in UNTOLD and _is_known(name))


def _is_known(name: str) -> bool:
    return KNOWN.fullmatch(PurePosixPath(name).stem) is not None


def split_of(name: str) -> str | None:
    """Return the split that the name of an index says it is of, or else that of a folder it lies in; None for neither.

    Example:
        >>> split_of("annotations/instances_train2017.json"), split_of("valid/_annotations.coco.json")
        ('train', 'validation')
    """
    *folders, file = name.split("/")
    parts = (file.rpartition(".")[0], *reversed(folders))
    return next((split for part in parts if (split := split_within(part))), None)


def lies(look: str, words: str, pattern: str) -> tuple[str, tuple[Sign, ...]]:
    """Return how a layout looks, and the sign that a COCO file of some name is there."""
    expression = re.compile(pattern, re.IGNORECASE)

    def there(tree: Tree) -> bool:
        return any(
            expression.fullmatch(name)
            and (kind in (Kind.LABELS, Kind.CAPTIONS, Kind.PANOPTIC) or (kind is not Kind.OTHER and _is_known(name)))
            for name, kind in indices(tree).items()
        )

    return look, (Sign(words, there),)


LAYOUTS = tuple(
    Layout(name, *lies(look, words, pattern), covers=FOLDERS_ALONE)
    for name, look, words, pattern in (
        (
            "COCO",
            "train/annotations.json and train/images/*.jpg (and train/masks/*.png), or annotations.json and images/",
            "annotations.json",
            r"([^/]*/)?annotations\.json",
        ),
        (
            "COCO, as it is published and as CVAT exports it",
            "annotations/instances_train2017.json and train2017/*.jpg or images/train2017/*.jpg",
            "annotations/*.json",
            r"([^/]*/)*annotations/[^/]*\.json",
        ),
        (
            "COCO, as Roboflow exports it",
            "train/_annotations.coco.json and train/*.jpg, valid/, test/",
            "_annotations.coco.json",
            r"([^/]*/)*_annotations\.coco\.json",
        ),
        (
            "COCO, one JSON beside its pictures",
            "result.json and images/, labels.json and data/, or any *.json of COCO beside its pictures",
            "a JSON with images and annotations",
            r"(?!([^/]*/)?annotations\.json)(?!.*annotations/[^/]*$)(?!.*_annotations\.coco)([^/]*/)*[^/]*\.json",
        ),
    )
)
