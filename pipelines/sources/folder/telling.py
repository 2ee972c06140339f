"""What is told of class folders: classes that a split lacks, pictures in none, folders within them."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.accounts.tree import Tree, below
from pipelines.contract import Request
from pipelines.errors import DataError
from pipelines.sources.files.entries import Entry
from pipelines.sources.folder.classes import ClassFolders
from pipelines.sources.folder.structure import pictures, split_in
from pipelines.splits import split_named

SHOWN = 8  # classes that are named


def tell(entries: Mapping[str, Sequence[Entry]], classes: Sequence[str], masked: bool) -> None:
    """Warn of classes without a picture, of pictures without a class, and of folders in class folders.

    Args:
        entries: of each split.
        classes: the names of the folders.
        masked: there are masks, and nobody asked for the classes: the folders may be towns or days.
    """
    if masked:
        warnings.warn(
            f"Beside the masks, the folders of the images are read as classes ({_named(classes)}): if they are none, "
            "ask for the task segmentation alone.",
            stacklevel=3,
        )
    for split, own in entries.items():
        there = {entry.label for entry in own}
        lacking = [name for name in classes if name not in there]
        if lacking:
            warnings.warn(f"Split '{split}' has no picture of class {_named(lacking)}.", stacklevel=3)
        loose = [entry for entry in own if entry.label is None and entry.mask is None]
        if loose:
            count = f"{len(loose)} pictures lie" if len(loose) > 1 else "One picture lies"
            warnings.warn(
                f"{count} in no class folder, as '{loose[0].image}': not labelled for classification.", stacklevel=3
            )
    labelled = [entry for own in entries.values() for entry in own if entry.label]
    nested = [entry for entry in labelled if entry.image.parent != entry.index]
    if nested:
        first = nested[0]
        warnings.warn(
            f"{len(nested)} of {len(labelled)} pictures lie deeper in class folders, as '{first.image}': its class is "
            f"'{first.label}', by the first folder.",
            stacklevel=3,
        )
    if len(classes) == 1:
        warnings.warn(f"All pictures are of one class, '{classes[0]}': there is nothing to tell apart.", stacklevel=3)


def tell_towns(names: Sequence[str]) -> None:
    """Warn that the folders of images with masks are not read as classes, as no two splits have one in common."""
    warnings.warn(
        f"The folders of the images ({_named(names)}) are not read as classes: no two splits have one in common, as of "
        "towns or days. If they are classes, name all in the option classes.",
        stacklevel=3,
    )


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"'{name}'" for name in names[:SHOWN]) + more


def _refuse_part(folder: Path, others: Sequence[str], classes: Sequence[str] | None, request: Request) -> None:
    """Refuse a folder beside those of classes that is named as a part of a layout, unless an option names all classes.

    Such as masks/ beside no_masks/, which may be a class, or images/ beside masks under a name that nobody knows.
    """
    if classes is None:
        shown = ", ".join(f"'{own}'" for own in others[:3])
        raise DataError(
            f"'{folder}' lies beside {shown}: which of them are classes cannot be told. Name all classes in the option "
            f"classes, with '{folder.name}' or without; or, if some are masks of the others, call the folders images/ "
            "and masks/."
        )
    if folder.name not in classes:
        request.account.leave_below(folder, "of no class that the option names")


def refuse_deeper_splits(tree: Tree, images: str) -> None:
    """Refuse to divide anew what lies in folders of splits that are deeper than splits are looked for."""
    start = f"{images}/" if images else ""
    named = {split_named(f.rpartition("/")[2]): f for f in tree.folders if f.startswith(start) and pictures(tree, f)}
    named.pop(None, None)
    if len(named) > 1:
        first, second, *_ = (f"'{tree.path(folder)}'" for folder in named.values())
        raise DataError(
            f"{first} and {second} are named as splits, but lie deeper than splits are looked for: move them up, or "
            "set the option divide to true, to divide all images anew."
        )


def tell_beside(tree: Tree, found: ClassFolders) -> None:
    """Warn of a folder beside those of splits that has the same classes and is called as none."""
    train = found.classes.get("train", ())
    outer = {place.removeprefix(f"{found.base}/").partition("/")[0] for place in found.splits.values()}
    for name in tree.inner(found.base) if len(train) > 1 else ():
        place = below(found.base, name)
        if name in outer or place in found.unlabelled.values():
            continue
        if {*_folders_with_pictures(tree, place)} >= {*train[:2]}:
            warnings.warn(
                f"'{tree.path(place)}' has the same class folders as train and is not read, as its name is that of no "
                "split: call it val or test, or move its pictures into train.",
                stacklevel=4,
            )


def refuse_splits(tree: Tree, place: str, classes: Sequence[str]) -> None:
    """Refuse class folders that may be splits: called so, as trainA/ and testA/, or with the same folders in each.

    Args:
        tree: the files.
        place: the folder in which those of the classes lie.
        classes: their names.

    Raises:
        DataError: they are so.
    """
    splits = [split_in(name) for name in classes]
    if None not in splits and "train" in splits and len({*splits}) > 1:
        first = classes[splits.index("train")]
        second = next(name for name, split in zip(classes, splits, strict=True) if split != "train")
        raise DataError(
            f"'{tree.path(below(place, first))}' and '{second}' beside it are called as splits with something more: "
            "put the folder of each class into train/ and val/, under the same name; or, if these are classes, name "
            "all in the option classes."
        )
    inner = _folders_with_pictures(tree, below(place, classes[0])) if len(classes) > 1 else []
    if len(inner) > 1 and all(_folders_with_pictures(tree, below(place, name)) == inner for name in classes[1:]):
        raise DataError(
            f"'{tree.path(below(place, classes[0]))}' and '{classes[1]}' beside it have the same folders in them, "
            f"{_named(inner)}: which are the classes cannot be told. If those outside are splits, call them train/ and "
            "val/; if they are versions of one set, give the path of one; if they are the classes, name all in the "
            "option classes."
        )


def _folders_with_pictures(tree: Tree, folder: str) -> list[str]:
    return [name for name in tree.inner(folder) if pictures(tree, below(folder, name))]


def tell_masks(entries: Mapping[str, Sequence[Entry]]) -> None:
    """Warn of pictures without a mask in splits in which others have one; a split without any is told of by itself."""
    for split, own in entries.items():
        lacking = [entry for entry in own if entry.mask is None]
        if lacking and len(lacking) < len(own):
            warnings.warn(
                f"Split '{split}': {len(lacking)} of {len(own)} pictures {'have' if len(lacking) > 1 else 'has'} no "
                f"mask, as '{lacking[0].image}': not labelled for segmentation.",
                stacklevel=3,
            )


def unlabelled(root: Path, found: ClassFolders, classes: Sequence[str] | None, request: Request) -> list[str]:
    """Say what becomes of folders of splits without class folders; return those that are classes after all.

    Args:
        root: the folder of the data set.
        found: the class folders.
        classes: the classes by option, or None.
        request: the splits asked for.

    Raises:
        DataError: such a split is needed, or it cannot be told whether a folder is one.
    """
    tree, chosen = request.files, []
    for split, names in found.parts.items():
        for name in names:
            _refuse_part(tree.path(below(found.splits[split], name)), found.classes[split], classes, request)
    for name in found.doubtful:
        folder = tree.path(below(found.base, name))
        if classes is None:
            others = ", ".join(f"'{own}'" for own in found.classes[""][:3])
            raise DataError(
                f"'{folder}' lies beside the class folders {others}: whether it is a class too or pictures without "
                f"labels cannot be told. Name all classes in the option classes, with '{name}' or without."
            )
        if name in classes:
            chosen.append(name)
        else:
            request.account.leave_below(folder, "pictures without labels")
    for split, place in found.unlabelled.items():
        folder = tree.path(place)
        if split in request.splits and (split != "test" or request.one_alone):
            raise DataError(
                f"The pictures of split '{split}' in '{folder}' lie in no class folders, so that nothing labels them: "
                "move each into the folder of its class (a list of labels beside them is not read), or take that "
                "folder away."
            )
        if split in request.splits:
            warnings.warn(f"Split '{split}' is left out: the pictures in '{folder}' have no labels.", stacklevel=3)
        request.account.leave_below(folder, f"pictures without labels, of split {split}")
    return chosen
