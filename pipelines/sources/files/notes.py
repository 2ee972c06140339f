"""What a user is told of the pictures of a source, once a load: what is left out or scaled, what is odd in splits."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipelines.pixels.headers import Trait
from pipelines.pixels.rules import Reading
from pipelines.sources.files import orientation
from pipelines.sources.files.items import Item

TRAITS: Mapping[Trait, str] = {
    "frames": "several frames or pages, of which the first is read",
    "alpha": "an alpha channel or a transparent colour, which is left out: what lies beneath it is read",
    "deep": "more than 8 bits a channel: black and white are those of the type (of floats 0 to 1, or 0 to 255), unless "
    "the option levels says otherwise",
    "exif": "EXIF data that cannot be read, and is taken as stored upright",
}


def tell_shared(items: Mapping[str, Sequence[Item]]) -> None:
    """Warn of images that are in several splits: what is measured on them flatters."""
    first: dict[Path, str] = {}
    shared = dict[Path, str]()
    for split, own in items.items():
        for image in dict.fromkeys(item.image for item in own):
            if first.setdefault(image, split) != split:
                shared.setdefault(image, f"'{first[image]}' and '{split}'")
    if shared:
        image, splits = next(iter(shared.items()))
        which = f"{len(shared)} images are" if len(shared) > 1 else "1 image is"
        warnings.warn(
            f"{which} in several splits, as '{image}' in {splits}: what is measured on them flatters.", stacklevel=3
        )


def tell(items: Iterable[Item], reading: Reading) -> None:
    """Warn of what pictures have that is not all used, each once, with how many there are and the first.

    Args:
        items: of all splits.
        reading: how they are read.
    """
    unusual = [item for item in items if item.traits or item.orientation]
    for trait, words in TRAITS.items():
        having = [item for item in unusual if trait in item.traits]
        if having and not (trait == "deep" and reading.levels):
            which = f"{len(having)} images have" if len(having) > 1 else "1 image has"
            warnings.warn(f"{which} {words} (the first: '{having[0].image}').", stacklevel=3)
    text = orientation.sentence([item.orientation for item in unusual if item.orientation])
    if text:
        warnings.warn(text, stacklevel=3)


def tell_bare(root: Path | None, splits: Mapping[str, Sequence[Item]]) -> None:
    """Warn of splits whose images all are known to show no object, as where the files of the labels are empty."""
    for split, items in splits.items():
        known = [item.objects for item in items if item.objects is not None]
        if known and not any(known):
            warnings.warn(
                f"'{root}': split '{split}' has no object in any labelled image ({len(known):,}): all are background.",
                stacklevel=3,
            )
