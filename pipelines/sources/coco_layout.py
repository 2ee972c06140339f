"""Which files of a folder hold which split of a COCO data set."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import DataError
from pipelines.specs import IGNORE

ALIASES = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}
SHARES = {"train": (0.0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}  # of a folder without splits


@dataclass(frozen=True)
class Folder:
    """The files of one split.

    Attributes:
        annotations: the JSON.
        images: the folder of the images.
        masks: the folder of PNG masks, or None.
        mask_classes: class names and the ignored value of those masks, or None where the JSON's categories apply.
        share: range of the file names' hash that belongs to the split.
    """

    annotations: Path
    images: Path
    masks: Path | None = None
    mask_classes: tuple[tuple[str, ...], int] | None = None
    share: tuple[float, float] = (0.0, 1.0)

    def holds(self, file_name: str) -> bool:
        """Whether an image of this name belongs to the split."""
        digest = hashlib.md5(file_name.encode(), usedforsecurity=False).digest()
        return self.share[0] <= int.from_bytes(digest[:4], "big") / 2**32 < self.share[1]


def find(root: Path, splits: tuple[str, ...], divide: bool) -> dict[str, Folder]:
    """Find the splits asked for.

    Three layouts are known:

    - `DIR/{train,val,test}/`, each with `annotations.json` and `images/`;
    - `DIR/annotations.json` and `DIR/images/`, divided 80/10/10 by a hash of the file names if `divide` is set, else
      the whole is the one split asked for;
    - `DIR/annotations/instances_train2017.json` and `DIR/train2017/`.

    In the first two, a folder `masks/` beside `images/` may hold PNG masks of the same stems, whose classes are in
    `mask_classes.json` (`{"classes": [...], "ignore": 255}`) beside it or in DIR; without it they are "background"
    and the categories.

    Raises:
        DataError: the folder is absent or of another layout, or lacks "train" or the only split asked for.
    """
    if not root.is_dir():
        raise DataError(f"Folder '{root}' does not exist.")
    found = _official(root) or _folders(root)
    if not found and (root / "annotations.json").is_file():
        if not divide and len(splits) > 1:
            raise DataError(f"Folder '{root}' has no splits: ask for one of {', '.join(splits)}, or let it be divided.")
        found = {split: _folder(root, root, SHARES[split] if divide else (0.0, 1.0)) for split in splits}
    if not found:
        raise DataError(
            f"Folder '{root}' is no COCO data set: expected train/annotations.json, annotations.json or "
            "annotations/instances_train*.json in it."
        )
    for split in splits:
        if split not in found and (split == "train" or len(splits) == 1):
            raise DataError(f"Folder '{root}' has no split '{split}'; it has: {', '.join(found)}.")
    return {split: found[split] for split in splits if split in found}


def _official(root: Path) -> dict[str, Folder]:
    found = {}
    for split, aliases in ALIASES.items():
        files = [f for alias in aliases for f in sorted((root / "annotations").glob(f"instances_{alias}*.json"))]
        if files:
            name = files[-1].stem.removeprefix("instances_")
            nested = root / "images" / name
            found[split] = Folder(files[-1], nested if nested.is_dir() else root / name)
    return found


def _folders(root: Path) -> dict[str, Folder]:
    pairs = [(split, root / alias) for split, aliases in ALIASES.items() for alias in aliases]
    return {split: _folder(root, folder) for split, folder in pairs if (folder / "annotations.json").is_file()}


def _folder(root: Path, folder: Path, share: tuple[float, float] = (0.0, 1.0)) -> Folder:
    images, masks = folder / "images", folder / "masks"
    named = [path for path in (folder / "mask_classes.json", root / "mask_classes.json") if path.is_file()]
    return Folder(
        annotations=folder / "annotations.json",
        images=images if images.is_dir() else folder,
        masks=masks if masks.is_dir() else None,
        mask_classes=_mask_classes(named[0]) if named else None,
        share=share,
    )


def _mask_classes(path: Path) -> tuple[tuple[str, ...], int]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        classes, ignore = content["classes"], content.get("ignore", IGNORE)
        if all(isinstance(c, str) for c in classes) and 0 < len(classes) <= ignore <= IGNORE:
            return tuple(classes), ignore
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        pass
    raise DataError(f'\'{path}\' must be {{"classes": [names], "ignore": a value above them, at most 255}}.')
