"""What the numbers of a comparison are from, and in what its arms did not have the same, in sentences."""

import math
from collections.abc import Iterator

from visionmtl.comparison.verdicts.judging import Judgement, is_tuned
from visionmtl.comparison.verdicts.reading import Arm, Comparison

NEAR = 0.05  # of a budget, within which arms had the same


def of(judgement: Judgement) -> Iterator[str]:
    """Yield which split the numbers are from, what was chosen on which, and what of the budget was not kept."""
    comparison = judgement.comparison
    yield from _sources(comparison)
    yield from _edges(comparison)
    yield from _budget(comparison)
    yield from _cores(comparison)


def _sources(comparison: Comparison) -> Iterator[str]:
    """Yield of which split the metrics are, and what was chosen on which."""
    same = comparison.split == "validation"
    of_epoch = ", on which the best epoch of each training was chosen too" if same else ""
    costs = "steps, seconds and memory are of the training"
    yield f"All metrics are those of the {comparison.split} split{of_epoch}; {costs}."
    on = "the same split, which favours" if same else "validation, as the best epoch of each training was"
    if comparison.searched:
        keys = ", ".join(comparison.searched)
        yield f"The values of {keys} were chosen for each arm at the first seed on {on}{' every arm a little' * same}."
    for arm in comparison.joint:
        if is_tuned(arm) and arm.chosen:
            yield f"The weights of '{arm.name}' were chosen at the first seed on {on}{' it a little' * same}."


def _edges(comparison: Comparison) -> Iterator[str]:
    """Yield which searches mostly chose the first or last of their numbers, beyond which a better one may lie."""
    for key, values in comparison.searched.items():
        numbers = values if isinstance(values, list) and all(_is_number(value) for value in values) else []
        if len(set(numbers)) < 2:
            continue
        taken = [value for arm in comparison.ordered for value in _choices(arm, key)]
        for end, word in ((max(numbers), "largest"), (min(numbers), "smallest")):
            count = taken.count(end)
            if count > 1 and 2 * count > len(taken):
                yield (
                    f"Of {key} the {word} value searched, {end:g}, was chosen {count} times in {len(taken)}: a better"
                    " one may lie beyond it."
                )


def _choices(arm: Arm, key: str) -> Iterator[float]:
    """Yield what was chosen of a key, of the baseline for each task."""
    for chosen in arm.chosen.values() if arm.alone else [arm.chosen]:
        if isinstance(chosen, dict) and _is_number(chosen.get(key)):
            yield chosen[key]


def _budget(comparison: Comparison) -> Iterator[str]:
    """Yield which arms had more or less of what all have the same of."""
    budget = comparison.budget
    if budget is None or not budget.amount or budget.of not in ("seconds", "steps"):
        return
    least = NEAR if budget.of == "seconds" else 0.5 / budget.amount
    apart = []
    for arm in comparison.ordered:
        cost = arm.cost(budget.of)
        if not math.isnan(cost) and abs(cost / budget.amount - 1) > least:
            apart.append(f"'{arm.name}' {cost:,.0f} ({100 * (cost / budget.amount - 1):+.0f}%)")
    if apart:
        why = "which short trainings shared out beforehand" if budget.of == "seconds" else "for training ended early"
        yield f"Not all had {budget.amount:,.0f} {budget.of}, {why}: {', '.join(apart)}."


def _cores(comparison: Comparison) -> Iterator[str]:
    """Yield that times do not compare, where processes had different numbers of cores."""
    by_count: dict[float, list[str]] = {}
    for arm in comparison.ordered:
        for count in dict.fromkeys(arm.costs("cores")):
            by_count.setdefault(count, []).append(f"'{arm.name}'")
    if len(by_count) > 1:
        each = (f"{count:g} ({', '.join(arms)})" for count, arms in sorted(by_count.items()))
        why = f"processes had other numbers of cores: {', '.join(each)}"
        yield f"Seconds and the time of a step do not compare where {why}."


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
