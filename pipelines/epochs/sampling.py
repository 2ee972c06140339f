"""How much of each of several sources an epoch takes: the fractions, and nothing of how they are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from pipelines.epochs.rules import METHODS, NUMBERS
from pipelines.errors import DataError, one_of


@dataclass(frozen=True)
class Sampling:
    """How samples are drawn from several sources; n is a source's number of images.

    - `proportional`: fractions as n, so that an epoch is one pass over all.
    - `uniform`: the same fraction of each source.
    - `temperature`: fractions as n^(1/T) (Arivazhagan et al. 2019, section 3.2): 1 is proportional, and the larger the
      nearer to uniform.
    - `annealed`: fractions as n^a, where a falls from 1 in the first epoch to 0 in the last, from proportional to
      uniform (Stickland and Murray 2019, section 3.3, who end at 0.2).
    - `curriculum`: more of the sources whose tasks lag behind. A task lags by its loss in the last epoch over that in
      the first, a source by the mean over the tasks that it labels; fractions are as those means, mixed with `floor` of
      uniform so that no source starves. The first epoch is uniform.
    - `alternate`: one task a batch, in turn; its images come from all sources that label it, in proportion, and the
      batch has weight 0 for every other task.
    - `balanced`: of one source or of several as one, pictures with rare classes more often. A class in a fraction f of
      the pictures labelled for its task has the factor max(1, sqrt(threshold / f)), a picture the largest of its
      classes', and is drawn in proportion to it (Gupta et al. 2019, LVIS). Here a picture has a class if it
      has as many objects or pixels of it as pictures have on average. An epoch stays as long as it is.

    Args:
        method: one of these.
        temperature: T of `temperature`, at least 1.
        floor: of `curriculum`, from 0 (losses alone) to 1 (uniform).
        epochs: of the training, over which `annealed` goes.
        threshold: of `balanced`: classes in fewer pictures than this fraction are rare.
    """

    method: str = "proportional"
    temperature: float = 2.0
    floor: float = 0.2
    epochs: int | None = None
    threshold: float = 0.5

    @classmethod
    def check(cls, given: "str | Mapping | Sampling") -> "Sampling":
        """Return what a name, or a mapping with `method` and its options, stands for.

        Raises:
            DataError: the method, an option or a value is not possible.

        Example:
            >>> Sampling.check({"method": "temperature", "temperature": 5}).temperature
            5
        """
        if isinstance(given, Sampling):
            return given
        options = {"method": given} if isinstance(given, str) else dict(given)
        for name in options:
            one_of(name, [field.name for field in fields(cls)], "option of sampling")
        made = cls(**options)
        one_of(made.method, METHODS, "sampling")
        for name, check in NUMBERS.items():
            try:
                check(getattr(made, name))
            except ValueError as error:
                raise DataError(f"sampling.{name} is {getattr(made, name)!r}: expected {error}.") from None
        if made.method == "annealed" and not (isinstance(made.epochs, int) and made.epochs > 0):
            raise DataError("sampling 'annealed' needs epochs, the number of epochs over which it goes.")
        return made

    def fractions(
        self, sizes: Sequence[int] | np.ndarray, epoch: int = 0, lags: Sequence[float] | None = None
    ) -> np.ndarray:
        """Return the fraction of an epoch that each source has, float64 `[S]` of sum 1.

        Args:
            sizes: images of each source.
            epoch: counted from 0.
            lags: how far each source lags behind, for `curriculum`; None where no epoch was trained yet.
        """
        if self.method == "curriculum":
            behind = np.ones(len(sizes)) if lags is None else np.asarray(lags, np.float64)
            behind = behind / behind.sum() if behind.sum() > 0 else np.full(len(sizes), 1.0 / len(sizes))
            return self.floor / len(sizes) + (1.0 - self.floor) * behind
        powers = {
            "proportional": 1.0,
            "uniform": 0.0,
            "temperature": 1.0 / self.temperature,
            "annealed": 1.0 - min(1.0, epoch / max(1, (self.epochs or 1) - 1)),
            "alternate": 1.0,
            "balanced": 1.0,
        }
        weights = np.asarray(sizes, np.float64) ** powers[self.method]
        return weights / weights.sum()


def lag(tasks: Sequence[str], losses: Sequence[Mapping[str, float]]) -> float:
    """Return how far a source lags behind: the mean over its tasks of the last loss over the first.

    A loss that is unknown, not finite or not positive (as for an epoch without labels of the task) is passed over; a
    task of which fewer than two are known counts as 1.

    Args:
        tasks: those that the source labels.
        losses: by task, of each epoch so far.
    """
    ratios = []
    for task in tasks:
        known = [row[task] for row in losses if np.isfinite(row.get(task, np.nan)) and row[task] > 0]
        ratios.append(known[-1] / known[0] if len(known) > 1 else 1.0)
    return float(np.mean(ratios)) if ratios else 1.0


def apportioned(total: int, fractions: np.ndarray) -> np.ndarray:
    """Return whole numbers int64 `[S]` of sum `total` as near to the fractions as can be (largest remainders)."""
    exact = np.round(total * fractions, 9)
    counts = np.floor(exact).astype(np.int64)
    first = np.argsort(counts - exact, kind="stable")[: total - counts.sum()]
    counts[first] += 1
    return counts
