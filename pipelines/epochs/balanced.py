"""An order in which pictures with rare classes come more often: repeat factors, as of LVIS."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pipelines.epochs.order import FOR_ALL, Mixture
from pipelines.kinds.spec import LabelSpec


def repeat_factors(amounts: Mapping[str, np.ndarray], threshold: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return how many times as often as one without rare classes each of N pictures is to be drawn, and each class.

    A picture has a class if it has as much of it as pictures have on average: any object of a class of which there are
    fewer objects than pictures, and more pixels than a few at the edge. A class that a fraction f of the pictures
    labelled for its task have has the factor max(1, sqrt(threshold / f)), a picture the largest of its classes'.

    Args:
        amounts: by task, float `[N, C]`: how many objects, pixels or else of a class a picture has; NaN where it is not
            labelled.
        threshold: the fraction of pictures below which a class is rare.

    Returns:
        Float64 `[N]`, and by task float64 `[C]`.

    Reference:
        Gupta et al. 2019, LVIS (repeat factor sampling), for which any object will do.
    """
    pictures, classes = np.ones(len(next(iter(amounts.values()), ()))), {}
    for task, amount in amounts.items():
        labelled, amount = max(1, (~np.isnan(amount[:, 0])).sum()), np.nan_to_num(amount)
        has = (amount > 0) & (amount >= amount.sum(axis=0) / labelled)
        frequency = has.sum(axis=0) / labelled
        classes[task] = np.maximum(1.0, np.sqrt(threshold / np.where(frequency > 0, frequency, 1.0)))
        pictures = np.maximum(pictures, (has * classes[task]).max(axis=1))
    return pictures, classes


def tell(specs: Iterable[LabelSpec], classes: Mapping[str, np.ndarray], pictures: np.ndarray) -> None:
    """Warn, in one sentence, of the classes whose pictures are drawn more often, or that there are none."""
    rare = [
        f"{name} ({spec.name}) {factor:.1f}"
        for spec in specs
        for name, factor in zip(spec.classes, classes.get(spec.name, ()), strict=False)
        if factor >= 1.05
    ]
    told = "no picture more often than another: every class is in as many pictures as its threshold says"
    if rare:
        least = len(pictures) / pictures.sum()
        told = f"a picture {least:.2g} times an epoch, one with much of a rare class so many times as often: "
        told += ", ".join(rare)
    warnings.warn(f"Sampling 'balanced' draws {told}.", stacklevel=3)


class Balanced(Mixture):
    """An order for each epoch that draws each picture in proportion to its repeat factor.

    An epoch is as long as one without: a picture of factor r comes `N r / sum` times on average, and in each epoch that
    number rounded down or up, by systematic sampling. All follows from the seed and the epoch's number.

    Args:
        factors: float `[N]`, of the samples in the order of all `rows`.
        given: as of `Mixture`.
    """

    def __init__(self, factors: np.ndarray, *given: Any):
        self.factors = np.asarray(factors, np.float64)
        super().__init__(*given)
        self.all_rows = np.concatenate(self.streams)

    def _steps(self, length: str) -> int:
        return max(1, sum(map(len, self.streams)) // self.batch_size)

    def __call__(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the samples of an epoch in order, each drawn for all tasks."""
        random = np.random.default_rng([self.seed, int(epoch), len(self.all_rows)])
        total, places = self.steps * self.batch_size, random.permutation(len(self.all_rows))
        ends = np.cumsum(self.factors[places])
        marks = (random.random() + np.arange(total)) * (ends[-1] / total)
        drawn = places[np.minimum(np.searchsorted(ends, marks, side="right"), len(places) - 1)]
        return self.all_rows[random.permutation(drawn)], np.full(total, FOR_ALL, np.int32)
