"""Which files of a folder hold which split of a COCO data set."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipelines.accounts.tree import Tree
from pipelines.contract import Request
from pipelines.errors import DataError, nearest
from pipelines.sources.coco.layouts import indices, of_labels, split_of
from pipelines.sources.coco.peeking import Kind
from pipelines.sources.files import layout
from pipelines.splits import ALIASES, SPLITS, split_called, split_named

ASIDE = ("annotations", "annotation", "labels", "label", "ann", "anns", "json", "jsons")  # folders of indices alone
BESIDE = re.compile(r"(person_keypoints|stuff)[-_]", re.IGNORECASE)  # COCO's, of the same objects or others
LIKELY = ("images", "data", "JPEGImages", "img", "imgs")  # folders of pictures, as tools call them
UNLABELLED = re.compile(r"(test|unlabell?ed|panoptic|stuff)(?![a-z])", re.IGNORECASE)  # folders of COCO beside its own


@dataclass(frozen=True)
class Place:
    """The files of one split; all names are those of the tree.

    Attributes:
        index: the JSON.
        within: the folder that its pictures lie in, at any depth.
        without: folders in that whose pictures are of other splits, or masks.
        likely: folders that file names may lead from, the likeliest first.
        masks: the folder of PNG masks, or None.
    """

    index: str
    within: str
    without: tuple[str, ...]
    likely: tuple[str, ...]
    masks: str | None = None


def find(tree: Tree, request: Request, chosen: str | Mapping[str, str] | None) -> dict[str | None, Place]:
    """Find the JSON of each split, and where its pictures may lie.

    Args:
        tree: all files.
        request: the splits asked for; its account is told what is set aside.
        chosen: the JSON as the user names it, or those by split.

    Returns:
        The places by split; under None the one of all, where there are no splits.

    Raises:
        DataError: there is none, or it could be one of two.
    """
    found = indices(tree)
    given = _given(tree, chosen) if chosen is not None else None
    named = given or _by_split(tree, found)
    used = set(named.values())
    for name, kind in found.items():
        if name in used:
            continue
        if kind not in (Kind.LABELS, Kind.OTHER, Kind.UNREADABLE):
            request.account.leave(tree.path(name), kind.value)
        elif kind is Kind.LABELS and given:
            request.account.leave(tree.path(name), "not among the annotations that are asked for")
        elif kind is Kind.LABELS and BESIDE.match(PurePosixPath(name).name):
            request.account.leave(tree.path(name), "keypoints or stuff of COCO, beside its instances")
        elif kind is Kind.LABELS:
            request.account.note_loss("its name says no split (train, val, test), as others do", tree.path(name))
    return {split: _place(tree, split, name, named) for split, name in named.items()}


def leave_others(tree: Tree, places: Mapping[str | None, Place], request: Request) -> None:
    """Set aside what belongs to splits that are not asked for, and pictures that nothing labels."""
    account = request.account
    for split, place in places.items():
        if split is not None and split not in request.splits:
            rule = f"of split {split}, not asked for"
            account.leave(tree.path(place.index), rule)
            own = place.within if _split_of_folder(place.within) == split else None
            folder = own or next((folder for folder in place.likely if folder in tree.folders), place.within)
            account.leave_below(tree.path(folder), rule)
    if None in places:
        return
    for folder in tree.folders:
        split = _split_of_folder(folder)
        if UNLABELLED.match(PurePosixPath(folder).name) if split is None else split not in places:
            words = f"of '{PurePosixPath(folder).name}', which has no labels"
            account.leave_below(tree.path(folder), words)


def _given(tree: Tree, chosen: str | Mapping[str, str]) -> dict[str | None, str]:
    """Return the files that the option names."""
    if not isinstance(chosen, str | Mapping) or not chosen:
        raise DataError(f"Option annotations is {chosen!r}: expected a JSON in '{tree.root}', or one for each split.")
    pairs: dict[str | None, str] = {}
    for split, name in ({None: chosen} if isinstance(chosen, str) else chosen).items():
        name = PurePosixPath(str(name)).as_posix().removeprefix("./")
        if name not in tree.names:
            raise DataError(f"Option annotations: '{tree.root / name}' does not exist.{nearest(name, indices(tree))}")
        pairs[None if split is None else split_called(split)] = name
    return {split: pairs[split] for split in (None, *SPLITS) if split in pairs}


def _by_split(tree: Tree, found: Mapping[str, Kind]) -> dict[str | None, str]:
    """Return the files of labels by their splits, one for each."""
    usable = [name for name, kind in found.items() if of_labels(name, kind)]
    splits: dict[str | None, list[str]] = {}
    for name in usable:
        splits.setdefault(split_of(name), []).append(name)
    if len(splits) > 1:
        splits.pop(None, None)
    chosen: dict[str | None, str] = {}
    for split in (None, *SPLITS):
        if names := splits.get(split):
            names = [n for n in names if not BESIDE.match(PurePosixPath(n).name)] or names
            if len(names) > 1:
                raise DataError(_several(tree, split, names))
            chosen[split] = names[0]
    if not chosen:
        raise DataError(_none(tree, found))
    return chosen


def _several(tree: Tree, split: str | None, names: list[str]) -> str:
    what = f"split '{split}'" if split else "its pictures"
    example = f"{{{split}: {names[0]}}}" if split else names[0]
    return (
        f"'{tree.root}' has several files of labels for {what}: {', '.join(names)}. Take one away, or name it, as "
        f"data.options.annotations={example}."
    )


def _none(tree: Tree, found: Mapping[str, Kind]) -> str:
    expected = "expected train/annotations.json, annotations.json or annotations/instances_train*.json in it"
    other = next(((name, kind) for name, kind in found.items() if kind is not Kind.UNREADABLE), None)
    said = f"; '{other[0]}' holds {other[1].value}" if other else ""
    return f"Folder '{tree.root}' is no COCO data set: {expected}{said}."


def _place(tree: Tree, split: str | None, index: str, named: Mapping[str | None, str]) -> Place:
    """Return where the pictures of an index may lie."""
    folder = index.rpartition("/")[0]
    within = folder
    while within and (PurePosixPath(within).name.lower() in ASIDE or not any(layout.pictures_in(tree, within))):
        within = within.rpartition("/")[0]
    rest = re.sub(r"^[a-z_]*instances[-_]|^person_keypoints[-_]", "", PurePosixPath(index).stem, flags=re.IGNORECASE)
    names = [rest, *(ALIASES[split] if split else ()), PurePosixPath(folder).name]
    start = f"{within}/" if within else ""
    likely = [f"{start}{place}{name}" for name in dict.fromkeys(filter(None, names)) for place in ("images/", "")]
    likely += [f"{start}{name}" for name in LIKELY]
    likely += [folder, within]
    masks = f"{folder}/masks" if folder else "masks"
    masks_there = any(file.lower().endswith(".png") for file in tree.within(masks))
    others = [own for own in named if own and own != split]
    without = [
        own for own in tree.folders if own.startswith(start) and own != within and _split_of_folder(own) in others
    ]
    if masks_there:
        without.append(masks)
    return Place(index, within, tuple(without), tuple(dict.fromkeys(likely)), masks if masks_there else None)


def _split_of_folder(folder: str) -> str | None:
    """Return the split that a folder such as "images/train2017" is named after, or None."""
    return split_named(re.sub(r"[-_]?\d+$", "", PurePosixPath(folder).name)) if folder else None
