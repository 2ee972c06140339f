"""What the pictures of a set are called in another: as before within their folder, and each name once."""

from collections.abc import Mapping
from os.path import commonpath
from pathlib import Path

from pipelines.contract import Split
from pipelines.sources.files.layout import is_picture
from pipelines.writers.base import FOLDERS

APART = {"images", "labels", "masks"}  # YOLO finds the labels of a picture by these names of folders in its path


def stems(splits: Mapping[str, Split], together: bool) -> tuple[dict[str, list[str]], int]:
    """Return the name without a suffix of every sample, as "cats/tom", and how many could not be called as before.

    Args:
        splits: the samples.
        together: whether a name may be given once in all splits, or in each.
    """
    result: dict[str, list[str]] = {}
    taken, renamed = set[str](), 0
    for key, split in splits.items():
        taken = taken if together else set()
        chosen = []
        for stem in _plain(split):
            name, copies = stem, 1
            while name in taken:  # another split has it, or a file of another suffix
                name = f"{stem}_{FOLDERS[key]}" if together and copies == 1 else f"{stem}_{copies}"
                copies += 1
            renamed += name != stem
            taken.add(name)
            chosen.append(name)
        result[key] = chosen
    return result, renamed


def _plain(split: Split) -> list[str]:
    """The names of a split's samples within the folder that has all of them; numbers where they are no files."""
    count = len(split.shapes)
    names = [Path(split.name(row)) for row in range(count)]
    if not all(is_picture(name.name) for name in names):
        return [f"{row:0{max(6, len(str(count)))}}" for row in range(count)]
    root = commonpath([name.parent for name in names]) if names else ""
    inner = [name.relative_to(root).with_suffix("").parts for name in names]
    return ["/".join([*(f"{part}_" if part in APART else part for part in above), stem]) for *above, stem in inner]
