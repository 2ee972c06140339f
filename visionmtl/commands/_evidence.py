"""What an export is proven on: pictures of the data that a model was trained on, or made-up ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from visionmtl.errors import UsageError

if TYPE_CHECKING:
    from visionmtl.recipe import Recipe

WHOLE, CROPPED = 8, 4  # of these pictures a few are cropped too, to sides that nobody expects
LARGEST = 1024  # pixels of a side: larger pictures are cropped, lest a proof take minutes and gigabytes
SIZES = [(37, 251), (241, 33), (1, 2), (64, 64), (149, 150), (480, 640)]  # of made-up pictures


@dataclass(frozen=True)
class Evidence:
    """Pictures, uint8 `[h, w, 3]`, and a sentence about where they are from."""

    pictures: list[np.ndarray] = field(repr=False)
    told: str


def pictures(recipe: "Recipe | None") -> Evidence:
    """Return a dozen pictures of the validation split, odd sizes among them; made-up ones where it cannot be read.

    Args:
        recipe: that says where the data is; None where there is none.
    """
    if recipe is None:
        return Evidence(made_up(), f"Proven on {len(SIZES)} made-up pictures: the model keeps no recipe with its data.")
    from pipelines import DataError
    from visionmtl import prediction

    try:
        wanted = prediction.of_split(recipe, "validation")
        found = list(_read(wanted.read, len(wanted.files), DataError))
    except (DataError, UsageError) as error:
        return Evidence(made_up(), f"Proven on {len(SIZES)} made-up pictures, since those of validation fail: {error}")
    if not found:
        return Evidence(made_up(), f"Proven on {len(SIZES)} made-up pictures: none of validation can be read.")
    odd = [_odd(picture, number) for number, picture in enumerate(found[:CROPPED])]
    told = f"Proven on {len(found)} pictures of validation, and {len(odd)} of them cropped to odd sizes."
    return Evidence(found + odd, told)


def _read(read: Callable[[int], np.ndarray], count: int, unreadable: type[Exception]) -> Iterator[np.ndarray]:
    """Yield some pictures, spread over all there are; each that cannot be read gives way to the next."""
    step = max(1, count // WHOLE)
    places = [place for first in range(step) for place in range(first, count, step)]
    given = 0
    for place in places:
        try:
            picture = read(place)
        except unreadable:
            continue
        yield picture[:LARGEST, :LARGEST]
        given += 1
        if given == WHOLE:
            return


def _odd(picture: np.ndarray, number: int) -> np.ndarray:
    """Return a part of a picture, of odd sides: by turns a half, a wide strip, a high one and a spot."""
    height, width = picture.shape[:2]
    parts = [(height // 2, width // 2), (height // 6, width), (height, width // 6), (height // 9, width // 9)]
    rows, columns = (max(1, side - 1 + side % 2) for side in parts[number % len(parts)])
    return picture[:rows, :columns]


def made_up() -> list[np.ndarray]:
    """Return smooth pictures with a little noise, of odd sizes."""
    random = np.random.default_rng(0)
    return [_smooth(random, *size) for size in SIZES]


def _smooth(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    from PIL import Image

    coarse = Image.fromarray(random.integers(0, 256, (5, 5, 3), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.float64)
    return np.clip(smooth + random.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)
