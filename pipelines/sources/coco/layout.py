"""Which files of a folder hold which split of a COCO data set."""

from dataclasses import dataclass
from pathlib import Path

from pipelines.contract import Request
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.splits import ALIASES


@dataclass(frozen=True)
class Folder:
    """The files of one split.

    Attributes:
        annotations: the JSON.
        images: the folder of the images.
        masks: the folder of PNG masks, or None.
        fraction: range of the file names' hash that belongs to the split.
    """

    annotations: Path
    images: Path
    masks: Path | None = None
    fraction: tuple[float, float] = layout.WHOLE


def find(root: Path, request: Request, divide: bool | None) -> dict[str, Folder]:
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
        DataError: the folder is of another layout, or lacks "train" or the only split asked for.
    """
    found = _official(root) or _folders(root)
    if not found and (root / "annotations.json").is_file():
        found = {split: _folder(root, root, own) for split, own in layout.fractions(root, request, divide).items()}
    if not found:
        raise DataError(
            f"Folder '{root}' is no COCO data set: expected train/annotations.json, annotations.json or "
            "annotations/instances_train*.json in it."
        )
    return layout.asked(root, found, request)


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
    found = layout.folders(root).items()
    return {split: _folder(root, folder) for split, folder in found if (folder / "annotations.json").is_file()}


def _folder(root: Path, folder: Path, fraction: tuple[float, float] = layout.WHOLE) -> Folder:
    images, masks = folder / "images", folder / "masks"
    return Folder(
        annotations=folder / "annotations.json",
        images=images if images.is_dir() else folder,
        masks=masks if masks.is_dir() else None,
        fraction=fraction,
    )
