"""Where class folders lie: in the folders of splits, or side by side; a name that says how data lies is no class."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pipelines.accounts.tree import Tree, below
from pipelines.errors import DataError
from pipelines.sources.folder.structure import PARTS, base, filled, holds_parts, is_part, pictures, split_meant
from pipelines.splits import SPLITS, split_named


@dataclass(frozen=True)
class ClassFolders:
    """The folders of classes of a data set, all names relative to its root.

    Attributes:
        base: the folder in which it lies.
        splits: the folder of class folders of each split; "" is the split of data without.
        classes: the class folders of each.
        unlabelled: folders of splits whose pictures lie in no class folder.
        doubtful: of data without splits, folders named as splits that may be classes too.
        parts: folders with pictures that lie beside those of the classes, but are named as parts of a layout.
    """

    base: str
    splits: dict[str, str]
    classes: dict[str, tuple[str, ...]]
    unlabelled: dict[str, str] = field(default_factory=dict)
    doubtful: tuple[str, ...] = ()
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)


def find(tree: Tree) -> ClassFolders | None:
    """Return the class folders of a data set, or None where there are none.

    Raises:
        DataError: two folders are the same split.
    """
    full = filled(tree)
    place = base(tree, full)
    images = below(place, "images")
    for folder in (place, images) if images in tree.folders else (place,):
        found = _in_splits(tree, folder, full) or _side_by_side(tree, folder, full)
        if found:
            return found
    return None


def _in_splits(tree: Tree, place: str, full: frozenset[str]) -> ClassFolders | None:
    """The class folders in the folders of splits."""
    splits: dict[str, str] = {}
    classes: dict[str, tuple[str, ...]] = {}
    unlabelled: dict[str, str] = {}
    for name, split in _split_folders(tree, place, full).items():
        folder = below(place, name)
        own = next(((f, c) for f in _within(tree, folder, full) if (c := _classes(tree, f, full))), None)
        taken = splits.get(split) or unlabelled.get(split)
        if taken:
            raise DataError(f"'{tree.path(taken)}' and '{tree.path(folder)}' both are split '{split}': join them.")
        if own:
            splits[split], classes[split] = own
        elif pictures(tree, folder):
            unlabelled[split] = folder
    if not splits:
        return None
    bare = classes.get("test", ())
    if len(bare) == 1 and "train" in classes and bare[0] not in classes["train"]:  # test/unknown/, test/test/
        unlabelled["test"] = below(splits.pop("test"), bare[0])
    splits = {split: splits[split] for split in SPLITS if split in splits}
    parts = {split: _parts(tree, folder, full) for split, folder in splits.items()}
    return ClassFolders(place, splits, {split: classes[split] for split in splits}, unlabelled, parts=parts)


def _split_folders(tree: Tree, place: str, full: frozenset[str]) -> dict[str, str]:
    """The folders of splits in a folder, and which: by names such as "train", or all by longer ones, as "train_set"."""
    names = [name for name in tree.inner(place) if below(place, name) in full]
    named = {name: split for name in names if (split := split_named(name))}
    if named:
        return named
    meant = {name: split for name in names if (split := split_meant(name)) and _nested(tree, below(place, name), full)}
    return meant if "train" in meant.values() and (len(meant) == len(names) or len({*meant.values()}) > 1) else {}


def _nested(tree: Tree, folder: str, full: frozenset[str]) -> bool:
    """Whether a folder's pictures lie in folders within it."""
    return any(below(folder, name) in full for name in tree.inner(folder)) and not pictures(tree, folder)


def _within(tree: Tree, folder: str, full: frozenset[str]) -> Iterator[str]:
    """The folders that may hold the class folders of a split: its own, images/ in it, or its like, as train/train/."""
    inner = [name for name in tree.inner(folder) if below(folder, name) in full]
    if len(inner) == 1 and split_meant(inner[0]) and _nested(tree, below(folder, inner[0]), full):
        folder = below(folder, inner[0])
    yield from (place for place in (folder, below(folder, "images")) if place in full)


def _classes(tree: Tree, place: str, full: Iterable[str]) -> tuple[str, ...]:
    """The names of the class folders in that of a split, empty ones too; none where no one has pictures."""
    names = [
        name for name in tree.inner(place) if not is_part(name) and not holds_parts(tree, below(place, name), full)
    ]
    if not any(below(place, name) in full for name in names):
        return ()
    empty = {name for name in names if not tree.folders[below(place, name)] and not tree.inner(below(place, name))}
    return tuple(name for name in names if below(place, name) in full or name in empty)


def _parts(tree: Tree, place: str, full: Iterable[str]) -> tuple[str, ...]:
    """The names of folders with pictures that are named as parts of a layout, as "masks"."""
    return tuple(name for name in tree.inner(place) if PARTS.fullmatch(name) and below(place, name) in full)


def _side_by_side(tree: Tree, place: str, full: frozenset[str]) -> ClassFolders | None:
    """The class folders of data without splits; one called "train" beside others is a class as they are."""
    names = _classes(tree, place, full)
    sure = [name for name in names if not split_named(name) and below(place, name) in full]
    splits = [name for name in names if split_named(name)]
    if not sure or (len(splits) > 1 and any(split_named(name) == "train" for name in splits)):
        return None
    doubtful = tuple(name for name in splits if split_named(name) != "train")
    known = tuple(name for name in names if name not in doubtful)
    return ClassFolders(place, {"": place}, {"": known}, doubtful=doubtful, parts={"": _parts(tree, place, full)})
