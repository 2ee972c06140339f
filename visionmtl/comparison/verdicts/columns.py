"""The columns of a comparison's table, of which terminal, Markdown, page and LaTeX show what they have room for."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from visionmtl.comparison.verdicts.counted import main_metrics
from visionmtl.comparison.verdicts.judging import Judged, Judgement
from visionmtl.comparison.verdicts.reading import Arm
from visionmtl.comparison.verdicts.sentences import with_interval

LEFT = ("arm", "chosen")  # columns of words; the others are of numbers, whose right ends are in line


class Column(NamedTuple):
    """One column.

    Attributes:
        head: its name.
        cells: of each arm.
        rank: the lower, the sooner it must be shown; 0 always is.
    """

    head: str
    cells: list[Any]
    rank: int


def columns(judgement: Judgement, errors: bool = True, full: bool = False) -> list[Column]:
    """Return the columns of the table of arms: metrics, delta-m, costs, seeds, settings.

    Args:
        judgement: what was found.
        errors: whether metrics have their standard errors.
        full: whether metrics are named with their tasks, and arms with the seeds they lack.
    """
    comparison = judgement.comparison
    arms = [judged.arm for judged in judgement.arms]

    def each(head: str, of: Callable[[Arm], Any], rank: int) -> Column:
        return Column(head, [of(arm) for arm in arms], rank)

    def total(judged: Judged) -> str:
        return "" if judged.arm.alone else with_interval(judged.delta_m)

    asked = comparison.seeds
    steps = 5 if comparison.budget and comparison.budget.of == "steps" else 2  # the same for all arms, or told
    found = [
        each("#", lambda arm: arms.index(arm) + 1, 0),
        each("arm", lambda arm: arm.name + (comparison.unfinished(arm) if full else ""), 0),
        *metric_columns(judgement, errors, full),
        Column("delta-m [95%]", [total(judged) for judged in judgement.arms], 0),
        each("step", lambda arm: ratio(arm, judgement), 1),
        each("ms", lambda arm: _whole(1000 * arm.cost("step")), 7),
        each("seconds", lambda arm: _whole(arm.cost("seconds")), 2),
        each("steps", lambda arm: _whole(arm.cost("steps")), steps),
        each("GB", lambda arm: _text(arm.cost("memory") / 1e9, "{:.2f}"), 6),
        each("M par.", lambda arm: _text(arm.cost("parameters") / 1e6, "{:.2f}"), 3),
        each("seeds", lambda arm: f"{len(arm.seeds)}/{len(asked)}", 1),
    ]
    if any(chosen(arm) for arm in arms):
        found.append(each("chosen", chosen, 9))
    return found


def metric_columns(judgement: Judgement, errors: bool = True, full: bool = False) -> list[Column]:
    """Return a column for each task, of its main metric; `full` names both."""
    mains = list(main_metrics(judgement.comparison, judgement.enters))
    names = [name for _, name in mains]
    return [
        Column(
            (f"{task} {name}" if full else name if names.count(name) == 1 else task) + falling(judgement, name),
            [metric(judged.arm, task, name, errors) for judged in judgement.arms],
            4,
        )
        for task, name in mains
    ]


def falling(judgement: Judgement, name: str) -> str:
    """Return an arrow behind the name of a metric of which less is better; nothing for the others."""
    return " \N{DOWNWARDS ARROW}" * (name in judgement.comparison.lower)


def metric(arm: Arm, task: str, name: str, errors: bool = True) -> str:
    """Return the mean of a metric over seeds, with its standard error where it has one."""
    mean, error = mean_and_error(arm, task, name)
    return _text(mean, "{:.3f}") + (f" ± {error:.3f}" if errors and not math.isnan(error) else "")


def mean_and_error(arm: Arm, task: str, name: str) -> tuple[float, float]:
    """Return the mean of a metric over seeds and its standard error; NaN where there is none."""
    values = np.array(list(arm.values(task, name).values()))
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else math.nan
    return (float(values.mean()) if len(values) else math.nan), error


def ratio(arm: Arm, judgement: Judgement) -> str:
    """Return the time of an arm's step as a ratio to that of the first joint arm."""
    first = judgement.comparison.reference
    return _text(arm.cost("step") / first.cost("step"), "{:.2f}") if first else "-"


def chosen(arm: Arm) -> str:
    """Return what the search chose for an arm, in one line; of the baseline for each task."""
    if not arm.alone:
        return settings(arm.chosen)
    return ", ".join(f"{task}: {settings(of)}" for task, of in arm.chosen.items() if of)


def settings(changes: dict[str, Any]) -> str:
    """Return settings in one line, by the last word of their keys; weights that were left as they are, as equal.

    Example:
        >>> settings({"training.learning_rate": 0.003, "balancing.weights": {}})
        'learning_rate 0.003, weights equal'
    """
    return ", ".join(f"{key.rpartition('.')[2]} {_value(value)}" for key, value in changes.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "equal" if not value else " ".join(f"{key}={_value(inner)}" for key, inner in value.items())
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _whole(value: float) -> str:
    return _text(value, "{:,.0f}")


def _text(value: float, form: str) -> str:
    return "-" if math.isnan(value) else form.format(value)
