"""The pictures of a split that a model does worst on, kept while it is measured: no second pass over the data."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from PIL import Image

from visionmtl.tasks.task import Task
from visionmtl.workers import Workers

MOST = 10  # pictures of a task in each order
LOSS, SURE = "loss", "sure"  # the orders: of the largest loss, and of the surest mistake
QUALITY = 92  # of the JPEG that a picture is kept as
Candidates = dict[str, tf.Tensor]


class Shown(NamedTuple):
    """A picture, its truth and its prediction, in the form of `Task.truth` and `Task.decode`, packed small.

    Attributes:
        value: by which it is among the worst.
        loss: of the sample.
        place: of the sample in its split, from 0.
        packed: JPEG and arrays; `opened` has them.
    """

    value: float
    loss: float
    place: int
    packed: tuple[bytes, bytes]

    def opened(self) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the image, uint8 `[H, W, 3]`, the truth and the prediction."""
        image = np.asarray(Image.open(io.BytesIO(self.packed[0])))
        with np.load(io.BytesIO(self.packed[1])) as file:
            arrays = {name: file[name] for name in file.files}
        truth, prediction = (
            {name.removeprefix(part): array for name, array in arrays.items() if name.startswith(part)}
            for part in ("truth/", "prediction/")
        )
        return image, truth, prediction


class Gallery:
    """The worst pictures of each task: those of the largest losses, and those of the surest mistakes.

    `collect` begins: what is measured before is passed over. Each picture is kept as a JPEG, and what is known of it
    compressed, so that memory does not grow with the split.

    Args:
        tasks: by name.
        most: pictures of a task in each order.

    Attributes:
        shown: by task and order, the worst first.

    Example:
        >>> model.gallery = Gallery(model.tasks)  # doctest: +SKIP
        >>> with model.gallery.collect():  # doctest: +SKIP
        ...     model.evaluate(data.validation)
        >>> model.gallery.shown["detection"]["loss"][0].place  # doctest: +SKIP
        17
    """

    def __init__(self, tasks: Mapping[str, Task], most: int = MOST):
        self.tasks, self.most, self.open = dict(tasks), most, False
        self.shown: dict[str, dict[str, list[Shown]]] = {}
        self.begin()

    def begin(self) -> None:
        """Forget what is kept, and the places of samples."""
        self.shown, self.seen = {name: {LOSS: [], SURE: []} for name in self.tasks}, 0

    def collect(self) -> "Gallery":
        """Begin anew, and keep what is measured until the end of a `with`."""
        self.begin()
        return self

    def __enter__(self) -> "Gallery":
        self.open = True
        return self

    def __exit__(self, *error: Any) -> None:
        self.open = False

    def candidates(
        self, images: tf.Tensor, labels: Mapping, predictions: Mapping, losses: Mapping, weights: Mapping | None
    ) -> Candidates:
        """Return, in graph, a batch with how bad each sample is, by flat names; nothing of it is copied."""
        found: Candidates = {"images": images}
        for name, decoded in predictions.items():
            loss, weight = tf.cast(losses[name], tf.float32), (weights or {}).get(name)
            counts = tf.math.is_finite(loss) if weight is None else tf.math.is_finite(loss) & (weight > 0)
            found[f"{name}/{LOSS}"] = tf.where(counts, loss, -np.inf)
            sure = self.tasks[name].mistakes(labels[name], decoded)
            if sure is not None:
                found[f"{name}/{SURE}"] = tf.where(counts & (sure > 0), sure, -np.inf)
            label = labels[name]
            found |= {f"{name}/label/{key}": part for key, part in (label if _parted(label) else {"": label}).items()}
            found |= {f"{name}/prediction/{key}": part for key, part in decoded.items()}
        return found

    def update(self, candidates: Mapping[str, Sequence[tf.Tensor]], replicas: int, workers: Workers) -> None:
        """Take a batch, each a tuple of those of this many replicas; the workers hold stretches of it in turn."""
        sizes = [len(part) for part in candidates["images"]]
        first = self.seen + workers.number * sum(sizes)
        self.seen += sum(sizes) * workers.count
        for replica in range(replicas if self.open else 0):
            batch = {key: value[replica] for key, value in candidates.items()}
            for name, order in ((name, order) for name in self.tasks for order in (LOSS, SURE)):
                if f"{name}/{order}" in batch:
                    values, losses = (np.asarray(batch[f"{name}/{key}"], np.float64) for key in (order, LOSS))
                    for row in np.argsort(-values, kind="stable")[: self.most]:
                        self._offer(name, order, batch, int(row), (values[row], losses[row], first + int(row)))
            first += sizes[replica]

    def _offer(self, name: str, order: str, batch: Mapping, row: int, about: tuple[float, float, int]) -> None:
        """Keep a sample if it is among the worst."""
        kept = self.shown[name][order]
        value, loss, place = about
        if np.isneginf(value) or (len(kept) == self.most and value <= kept[-1].value):
            return
        labels = {key: np.asarray(part[row : row + 1]) for key, part in _within(batch, f"{name}/label/")}
        truth = self.tasks[name].truth(labels.get("", labels))
        arrays = {f"truth/{key}": np.asarray(part)[0] for key, part in truth.items()}
        arrays |= {f"prediction/{key}": np.asarray(part[row]) for key, part in _within(batch, f"{name}/prediction/")}
        packed = _packed(np.asarray(batch["images"][row]), arrays)
        self._insert(name, order, Shown(float(value), float(loss), place, packed))

    def _insert(self, name: str, order: str, shown: Shown) -> None:
        kept = [*self.shown[name][order], shown]
        self.shown[name][order] = sorted(kept, key=lambda each: (-each.value, each.place))[: self.most]

    def gather(self, workers: Workers) -> None:
        """Take what the galleries of all workers have, each of its own samples."""
        if not workers.several:
            return
        own = [(name, order, each) for name, of in self.shown.items() for order, kept in of.items() for each in kept]
        head = json.dumps([[name, order, *each[:3]] for name, order, each in own]).encode()
        blobs = [head, *(part for _, _, each in own for part in each.packed)]
        everyone = workers.arrays([np.frombuffer(blob, np.uint8) for blob in blobs])
        self.begin()
        for about, *parts in everyone:
            for number, (name, order, value, loss, place) in enumerate(json.loads(about.tobytes())):
                image, arrays = (part.tobytes() for part in parts[2 * number : 2 * number + 2])
                self._insert(name, order, Shown(value, loss, place, (image, arrays)))


def _parted(label: Any) -> bool:
    return isinstance(label, Mapping)


def _within(batch: Mapping, part: str) -> Iterator[tuple[str, Any]]:
    return ((key.removeprefix(part), value) for key, value in batch.items() if key.startswith(part))


def _packed(image: np.ndarray, arrays: Mapping[str, np.ndarray]) -> tuple[bytes, bytes]:
    picture, rest = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.clip(image, 0, 255).round().astype(np.uint8)).save(picture, "JPEG", quality=QUALITY)
    small: dict[str, Any] = {name: _small(array) for name, array in arrays.items()}
    np.savez_compressed(rest, **small)
    return picture.getvalue(), rest.getvalue()


def _small(array: np.ndarray) -> np.ndarray:
    """Return a map of whole numbers in as few bytes as hold them."""
    if array.dtype.kind in "iu" and array.ndim > 1 and array.size and array.min() >= 0 and array.max() < 256:
        return array.astype(np.uint8)
    return array
