"""What an export is proven, calibrated and measured on: the data that a model was trained on, or made-up pictures."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from visionmtl.errors import UsageError

if TYPE_CHECKING:
    from visionmtl.model import MultiTaskModel
    from visionmtl.recipe import Recipe

WHOLE, CROPPED = 8, 4  # of these pictures a few are cropped too, to sides that nobody expects
LARGEST = 1024  # pixels of a side: larger pictures are cropped, lest a proof take minutes and gigabytes
CALIBRATION, MEASURED = 200, 500  # pictures, at most
SIZES = [(37, 251), (241, 33), (1, 2), (64, 64), (149, 150), (480, 640)]  # of made-up pictures


@dataclass(frozen=True)
class Evidence:
    """Pictures, uint8 `[h, w, 3]`, and a sentence about where they are from.

    Attributes:
        seed: by which they were drawn; None where they were not.
    """

    pictures: list[np.ndarray] = field(repr=False)
    told: str
    seed: int | None = None


@dataclass(frozen=True)
class Labelled:
    """Labelled batches that can be read again and again, None where there are none, and a sentence about them."""

    batches: Iterable[Any] | None = field(repr=False)
    told: str


def pictures(recipe: "Recipe | None") -> Evidence:
    """Return a dozen pictures of the validation split, odd sizes among them; made-up ones where it cannot be read.

    Args:
        recipe: that says where the data is; None where there is none.
    """
    instead = f"The proof is on {len(SIZES)} made-up pictures"
    if recipe is None:
        return Evidence(made_up(), f"{instead}: the model keeps no recipe with its data.")
    from pipelines import DataError
    from visionmtl import prediction

    try:
        wanted = prediction.of_split(recipe, "validation")
        found = list(_read(wanted.read, len(wanted.files), DataError))
    except (DataError, UsageError) as error:
        return Evidence(made_up(), f"{instead}, since those of validation fail: {error}")
    if not found:
        return Evidence(made_up(), f"{instead}: none of validation can be read.")
    odd = [_odd(picture, number) for number, picture in enumerate(found[:CROPPED])]
    told = f"The proof is on {len(found)} pictures of validation, and {len(odd)} of them cropped to odd sizes."
    return Evidence(found + odd, told)


def calibration(recipe: "Recipe | None", model: "MultiTaskModel", size: tuple[int, int] | None = None) -> Evidence:
    """Return pictures of the training split, drawn by the recipe's seed and fitted to the network's input.

    Args:
        recipe: that says where the data is; None where there is none.
        model: to be exported.
        size: height and width of the network's input in the export; None for those that the model has.

    Raises:
        UsageError: there are none to be had.
    """
    need = "Precision int8 is calibrated on pictures of the training split"
    if recipe is None:
        raise UsageError(f"{need}, and the model keeps no recipe that says where the data is: give its run folder.")
    import tensorflow as tf

    from pipelines import DataError
    from visionmtl import images, prediction

    seed, found = recipe.training.seed, []
    try:
        wanted = prediction.of_split(recipe, "train")
    except (DataError, UsageError) as error:
        raise UsageError(f"{need}, which fails: {error}") from None
    for place in np.random.default_rng(seed).permutation(len(wanted.files)).tolist():
        try:
            fitted, _ = images.fit(tf.constant(wanted.read(place)), size or model.image_size, model.resize)
        except DataError:
            continue
        found.append(fitted.numpy().astype(np.uint8))
        if len(found) == CALIBRATION:
            break
    if not found:
        raise UsageError(f"{need}, of which none can be read.")
    return Evidence(found, f"Calibrated on {len(found)} pictures of train, drawn with seed {seed}.", seed)


def validation(recipe: "Recipe | None", model: "MultiTaskModel", size: tuple[int, int] | None = None) -> Labelled:
    """Return up to 500 labelled pictures, spread over the validation split; none where it cannot be read.

    Args:
        recipe: that says where the data is; None where there is none.
        model: to be exported.
        size: height and width of the network's input in the export; None for those that the model has.
    """
    unmeasured = "What a precision costs in metrics is not measured"
    if recipe is None:
        return Labelled(None, f"{unmeasured}: the model keeps no recipe with its data.")
    from pipelines import DataError
    from visionmtl.recipe import changed
    from visionmtl.training import building

    exported: Any = model
    try:
        if size is not None:
            recipe = changed(recipe, {"data.image_size": list(size)})
            exported = SimpleNamespace(tasks=model.tasks, image_size=size)
        data = building.data(recipe, ["validation"], exported)
    except (DataError, UsageError) as error:
        return Labelled(None, f"{unmeasured}: {error}")
    if "validation" not in data.splits:
        return Labelled(None, f"{unmeasured}: the data has no validation split.")
    there, length = data.sizes["validation"], recipe.data.batch_size
    batches = Batches(data.splits["validation"], -(-there // length), max(1, MEASURED // length))
    count = min(there, batches.most * length)
    return Labelled(batches, f"Measured on {count} pictures of validation, in each precision but float32.")


class Batches:
    """Some of the batches of a data set, spread over all.

    Args:
        dataset: `(images, labels, weights)`.
        count: how many batches there are.
        most: how many are taken.
    """

    def __init__(self, dataset: Any, count: int, most: int):
        self.dataset, self.most = dataset, min(count, most)
        self.taken = set(np.linspace(0, count - 1, self.most).astype(int).tolist())

    def __iter__(self) -> Iterator[Any]:
        return (batch for number, batch in enumerate(self.dataset) if number in self.taken)


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
