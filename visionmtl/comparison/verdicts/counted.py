"""Which metrics enter delta-m: the same ones for all arms, and why the others do not."""

from collections.abc import Iterator
from typing import NamedTuple

from visionmtl.comparison.verdicts.reading import Comparison

CEILING = 0.9995  # a fraction that reads 1.000
FLOOR = 0.0005  # one that reads 0.000 below
OF_CLASSES = ("classification", "segmentation")  # kinds that choose one of their classes: of one, there is no choice


class Counted(NamedTuple):
    """What enters delta-m.

    Attributes:
        metrics: by task, those that count; a task of which none does is not there.
        left_out: a sentence for each metric or task that does not.
    """

    metrics: dict[str, list[str]]
    left_out: list[str]


def counted(comparison: Comparison) -> Counted:
    """Return the metrics that enter delta-m, for all arms alike.

    Left out are those of single classes, without a word, and in words: a task of one class; a metric at its best in
    every arm and seed, which no arm could better; one that reads 0 in the baseline or is unknown there, over
    which a relative gain says nothing.
    """
    metrics: dict[str, list[str]] = {}
    left_out = []
    for task, of in comparison.tasks.items():
        if of.kind in OF_CLASSES and of.classes == 1:
            left_out.append(f"'{task}' is left out of delta-m: a {of.kind} of one class is always right.")
            continue
        names = comparison.metrics(task)
        reasons = {name: _reason(comparison, task, name) for name in names}
        left_out += [f"{task} {name} is left out of delta-m: {why}." for name, why in reasons.items() if why]
        if kept := [name for name in names if not reasons[name]]:
            metrics[task] = kept
    return Counted(metrics, left_out)


def _reason(comparison: Comparison, task: str, name: str) -> str:
    """Return why a metric does not count; nothing where it does."""
    values = [value for arm in comparison.arms for value in arm.values(task, name).values()]
    if name in comparison.lower:
        if values and max(values) == 0:
            return "it is 0, the best there is, in every arm and seed"
    elif values and min(values) >= CEILING and max(values) <= 1:
        return "it is 1.000, the best there is, in every arm and seed"
    baseline = comparison.baseline
    if baseline is None:
        return ""
    known = baseline.values(task, name)
    least = 0 if name in comparison.lower else FLOOR
    if zero := [seed for seed, value in known.items() if value == 0 or 0 < value < least]:
        return f"it reads 0 in the baseline{_at(zero)}, over which a relative gain says nothing"
    if unknown := [seed for seed in baseline.seeds if seed not in known]:
        return f"it is not known of the baseline{_at(unknown)}"
    return ""


def _at(seeds: list[int]) -> str:
    return f" at seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def main_metrics(comparison: Comparison, enters: Counted) -> Iterator[tuple[str, str]]:
    """Yield each task with the one metric that stands for it: the first that counts, or else the first."""
    for task in comparison.tasks:
        if names := enters.metrics.get(task) or comparison.metrics(task):
            yield task, names[0]
