"""The classes of masks that a known data set has, where nothing in its folder names them."""

import os
import re
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.errors import DataError
from pipelines.sources.cityscapes.labels import TRAIN
from pipelines.sources.files import layout
from pipelines.sources.folder.pairs import Pairs

LIST = re.compile(r"(\S+\.\w+\s+\S+\.\w+\s*\n?)+")  # of CamVid: an image and its mask a line
TRIMAP = ("pet", "background", "border")  # of Oxford's pets, numbered from 1


def of_layout(tree: Tree, pairs: Pairs, account: Account) -> tuple[tuple[str, ...], int] | None:
    """Return the class names and the offset of their numbers that the layout of ADE20K, mmsegmentation or pets has.

    Args:
        tree: the files.
        pairs: where images and masks are.
        account: told of the files that name them.

    Raises:
        DataError: the file that names them is malformed.
    """
    scenes = next(tree.like("scenecategories.txt", pairs.base), None)
    if scenes:
        account.leave(tree.path(scenes), "the scene of each picture, not read")
    for name in tree.like("*.txt", pairs.base):
        if os.path.abspath(tree.path(name)) not in account.files and LIST.fullmatch(layout.text(tree.path(name))):
            account.leave(tree.path(name), "a list of images and masks, which their names tell too")
    info = next(tree.like("objectinfo150.txt", pairs.base), None)
    if info:
        account.use(tree.path(info), "class names")
        return _object_info(tree.path(info)), 1
    masks = [name for place in pairs.splits.values() for name in layout.pictures_in(tree, place.masks)]
    if any(name.lower().endswith("_labeltrainids.png") for name in masks):
        return TRAIN, 0
    if masks and all("/trimaps/" in f"/{name.lower()}" for name in masks):
        return TRIMAP, 1
    return None


def _object_info(path: Path) -> tuple[str, ...]:
    """Read the names of ADE20K's classes: a table with the columns Idx, ..., Name."""
    rows = [re.split(r"\t+", line.strip()) for line in layout.text(path).splitlines() if line.strip()]
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "idx" not in header or header[-1] != "name":
        raise DataError(f"'{path}' has no header with the columns Idx and Name, as ADE20K's has.")
    names: list[str] = []
    for number, row in enumerate(rows[1:], 2):
        if row[header.index("idx")] != str(len(names) + 1):
            raise DataError(f"'{path}': line {number}: index {row[0]}, expected {len(names) + 1}.")
        names.append(row[-1].split(",")[0].strip())
    twice = {name for name in names if names.count(name) > 1}
    return tuple(row[-1].strip() if name in twice else name for name, row in zip(names, rows[1:], strict=True))
