"""What is to be predicted on: pictures on disk or those of a split, each with its name, its id and its pixels."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from os.path import commonpath
from pathlib import Path, PurePath

import numpy as np

from pipelines import listing
from pipelines.contract import Original
from pipelines.pixels.rules import SUFFIXES
from visionmtl.errors import UsageError
from visionmtl.prediction import numbering, pictures
from visionmtl.prediction.numbering import Ids
from visionmtl.recipe import Recipe


@dataclass(frozen=True)
class Wanted:
    """Pictures to predict on.

    Attributes:
        files: what each is called: a path, or a name in its data set.
        names: what is written about each is called, without a suffix; no two alike.
        read: from a place in `files` to the pixels, uint8 `[h, w, 3]`; a `DataError` says why a picture cannot be read.
        ids: of the images by place, and of the categories.
        copies: the file that holds the same picture for other programs; None where there is none.
        split: which the pictures are of; None where they are of none.
        lost: a sentence for each picture of the split that is known beforehand to be unreadable.
        told: what of the folders is no picture, as text.
        notes: returns a sentence for each thing that was left out of the pictures read so far.
    """

    files: Sequence[str]
    names: Sequence[str]
    read: Callable[[int], np.ndarray] = field(repr=False)
    ids: Ids
    copies: Sequence[Path | None] = field(repr=False)
    split: str | None = None
    lost: Sequence[str] = ()
    told: str = ""
    notes: Callable[[], list[str]] = field(default=list, repr=False)


def on_disk(
    paths: Sequence[str | Path], out: str | Path | None = None, annotations: str | Path | None = None
) -> Wanted:
    """Return the pictures among paths, as `pictures.found` has them.

    Args:
        paths: files, and folders.
        out: where predictions are written.
        annotations: a COCO file: its images and categories give their ids, and pictures that it does not list are set
            aside.

    Raises:
        UsageError: there is none.
    """
    there = pictures.found(paths, out)
    files, names, told = list(there.files), list(there.names), there.told()
    if annotations is None:
        ids = numbering.counted(len(files))
    else:
        known = numbering.read(Path(annotations))
        chosen = [place for place, file in enumerate(files) if known.image(file) is not None]
        if len(chosen) < len(files):
            aside = next(str(file) for place, file in enumerate(files) if place not in set(chosen))
            told += f"{chr(10) * bool(told)}Set aside, not listed in '{annotations}': "
            told += f"{len(files) - len(chosen):,} (such as '{aside}')"
        if not chosen:
            raise UsageError(f"'{annotations}' lists none of the {len(files):,} pictures, such as '{files[0]}'.")
        files, names = [files[place] for place in chosen], [names[place] for place in chosen]
        ids = known.of([known.image(file) for file in files])
    reader = pictures.Reader(files)
    called = pictures.told_apart(names)
    return Wanted([str(file) for file in files], called, reader, ids, files, told=told, notes=reader.notes)


def of_split(recipe: Recipe, split: str) -> Wanted:
    """Return all pictures of a split of a recipe's data, at their own size, with the ids that its COCO file gives.

    Raises:
        UsageError, pipelines.DataError: the data cannot be read, or has no such split.
    """
    data = recipe.data
    there = listing.listed(
        data.source or {name: member.model_dump() for name, member in data.sources.items()},
        split,
        path=data.path,
        tasks=None if recipe.tasks is None else list(recipe.tasks),
        image_size=data.image_size,
        joined=data.joined,
        **data.options,
    )
    return Wanted(
        there.names,
        pictures.told_apart(_within(there.names, there.split)),
        there.read,
        _ids(there.originals),
        [_copy(original) for original in there.originals],
        there.split,
        there.lost,
    )


def _within(names: Sequence[str], split: str) -> list[PurePath]:
    """Return the paths of pictures within the folder that has all of them; numbers where they are no files."""
    if not all(PurePath(name).suffix.lower() in SUFFIXES for name in names):
        return [PurePath(f"{split}-{number:06d}.png") for number in range(1, len(names) + 1)]
    paths = [PurePath(os.path.abspath(name)) for name in names]
    root = commonpath([path.parent for path in paths])
    return [path.relative_to(root) for path in paths]


def _ids(originals: Sequence[Original]) -> Ids:
    """Return the ids that one COCO file gives to all of the images; else they are counted."""
    indices = {original.listed_in for original in originals}
    index = indices.pop() if len(indices) == 1 else None
    known = numbering.read(index) if index and index.suffix.lower() == ".json" and numbering.is_coco(index) else None
    images = [known.by_name.get(str(original.listed_as)) for original in originals] if known else [None]
    return known.of(images) if known and None not in images else numbering.counted(len(originals))


def _copy(original: Original) -> Path | None:
    """Return the file that shows what a sample does; one that lies turned and is read as stored does not."""
    way = original.orientation
    return None if way and not way.upright else original.picture
