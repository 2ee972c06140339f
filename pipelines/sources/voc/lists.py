"""The lists of images in `ImageSets/`: which are those of the splits, and what the others are."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.files.entries import inside
from pipelines.sources.voc import roots
from pipelines.sources.voc.places import Place
from pipelines.splits import split_named

MAIN, BOTH, ALL = "main", "trainval", "default"  # ALL is what CVAT names what has no subset
OTHER = "a list that is no split"
FLAGS = ("-1", "0", "1")  # of whether an image has the class that a list is of


@dataclass
class Lists:
    """The lists of one folder.

    Attributes:
        folder: where they are.
        splits: the list of each split; trainval, of train and validation together; everything, of all images.
        others: those that are of no split.
    """

    folder: Path
    splits: dict[str, Path] = field(default_factory=dict)
    trainval: Path | None = None
    everything: Path | None = None
    others: list[Path] = field(default_factory=list)


def find_lists(tree: Tree, place: Place, chosen: str, account: Account) -> Lists | None:
    """Find the lists of a data set; None where it has none.

    They are in `ImageSets/<chosen>/`; without the folder Main, in Segmentation, in the only one that there is, or in
    `ImageSets/` itself. Without `ImageSets/` they may lie beside the XML or the folders, as train.txt or trainval.txt.

    Raises:
        DataError: there are lists, but none is of a split.
    """
    name = "" if place.root == tree.root else place.root.relative_to(tree.root).as_posix()
    sets = roots.inner_named(tree, name, [roots.SETS])
    if sets is None or not any(tree.within(sets)):
        return _loose(tree, name, place, account)
    inner = roots.inner_named(tree, sets, [chosen.lower()])
    filled = [f"{sets}/{own}" for own in tree.inner(sets) if any(tree.within(f"{sets}/{own}"))]
    if inner is None and chosen.lower() == MAIN:
        best = roots.inner_named(tree, sets, ["segmentation"])
        inner = best if best in filled else filled[0] if len(filled) == 1 else sets
    if inner is None:
        raise DataError(f"Folder '{tree.root / sets}' has no folder '{chosen}', which the option lists names.")
    for folder in filled:
        if folder != inner:
            account.leave_below(tree.root / folder, "a list of another task")
    lists = Lists(tree.root / inner)
    for file in tree.folders[inner]:
        if file.lower().endswith(".txt"):
            _sort(lists, lists.folder / file, account)
    if not (lists.splits or lists.trainval or lists.everything):
        names = ", ".join(path.name for path in lists.others)
        found = f" It has {names}: rename what is one of these." if names else ""
        raise DataError(f"Folder '{lists.folder}' has no list train.txt, val.txt or test.txt.{found}")
    for path in lists.others:
        account.leave(path, OTHER)
    return lists


def read_list(path: Path, place: Place, account: Account) -> list[str]:
    """Read a list of images: a name a line, perhaps quoted, perhaps with numbers behind it.

    Args:
        path: the list.
        place: where the images are.
        account: told of each line that cannot be used.

    Returns:
        The images, by their names in `place`.
    """
    account.use(path, "list of images")
    found: dict[str, str] = {}
    for number, name in _lines(path):
        try:
            image = _image(inside(name, "image"), place)
            if image in found and found[image] == name:
                raise ValueError(f"image '{name}' is given twice")
            found[image] = name
        except ValueError as error:
            account.lose(f"'{path}': line {number}: {error}.")
    if not found and not account.problems.skipped:
        raise DataError(f"'{path}' is empty: expected the names of images, one a line.")
    return list(found)


def images_in(path: Path, place: Place) -> set[str]:
    """Return the images that a list names, by their names in `place`; what else it says is told where it is read."""
    found = set()
    for _, name in _lines(path):
        with contextlib.suppress(ValueError):
            found.add(_image(name, place))
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a list that name images, with their numbers."""
    for number, line in enumerate(layout.text(path).splitlines(), 1):
        name = line.strip().removeprefix("./")
        if name and not name.startswith("#"):
            yield number, name


def _loose(tree: Tree, name: str, place: Place, account: Account) -> Lists | None:
    """Return lists that lie beside the XML files or the folders, if what they name are images."""
    start = f"{name}/" if name else ""
    for folder in (f"{start}annotations", f"{start}Annotations", name):
        lists = Lists(tree.root / folder)
        for file in tree.folders.get(folder, ()):
            path = lists.folder / file
            if file.lower().endswith(".txt") and _names_images(path, place):
                _sort(lists, path, account)
        if lists.splits or lists.trainval:
            for path in lists.others:
                account.leave(path, OTHER)
            return lists
    return None


def _names_images(path: Path, place: Place) -> bool:
    """Whether the first line of a list is an image."""
    try:
        return bool(_image(next((name for _, name in _lines(path)), ""), place))
    except ValueError:
        return False


def _sort(lists: Lists, path: Path, account: Account) -> None:
    """Note what a list is: by its name, and, of one class, by the flags in it."""
    stem = path.stem.lower()
    split = split_named(stem)
    if split:
        if split in lists.splits:
            raise DataError(f"'{lists.splits[split]}' and '{path}' both are split '{split}': join them, or rename one.")
        lists.splits[split] = path
    elif stem == BOTH:
        lists.trainval = path
    elif stem == ALL:
        lists.everything = path
    elif _is_of_a_class(path):
        account.leave(path, "a list of one class")
    else:
        lists.others.append(path)


def _is_of_a_class(path: Path) -> bool:
    """Whether the lines of a list are names and flags, and its name ends as that of a split."""
    ending = path.stem.lower().rpartition("_")[2]
    if not (split_named(ending) or ending in (BOTH, ALL)):
        return False
    cells = [line.split() for line in layout.text(path).splitlines() if line.strip()]
    return all(len(row) > 1 and row[-1] in FLAGS for row in cells)


def _image(line: str, place: Place) -> str:
    """Return the image that a line names."""
    cells = line.split()
    while len(cells) > 1 and cells[-1].lstrip("-").isdecimal():
        cells.pop()
    quoted = line.split('"')
    for name in (line, quoted[1] if len(quoted) == 3 else line, " ".join(cells)):
        image = place.image_of(name)
        if image:
            return image
    raise ValueError(f"image '{line}' is missing from JPEGImages/")
