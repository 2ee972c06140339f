"""The figures of an affinity, as `affinity.json` holds them: what records of seeds say of each pair of tasks."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from visionmtl.comparison.affinity import bootstrap, grouping, linearised, scores
from visionmtl.comparison.affinity.look import WHOLE
from visionmtl.comparison.affinity.record import Record
from visionmtl.comparison.affinity.scores import Interval, listed

LOOKAHEAD, COSINE, LINEARISED = "lookahead", "cosine", "linearised"
SCORES = {
    LOOKAHEAD: "look-ahead",
    COSINE: "cosine",
    LINEARISED: "linearised",
}


def figures(records: Mapping[int, Record], models: int) -> dict[str, Any]:
    """Return all figures of the trainings of some seeds, as JSON has them: None for what is not known.

    Args:
        records: of each seed.
        models: among how many the tasks are to be divided at most.

    Returns:
        `tasks`; `seeds`, of each the `steps` looked at, the `ratio` of its time, the `seconds` of the training itself,
        and the `broken` looks, in which a loss was not finite; `shared`, `[K, K]`; `scores` and `levels` (cosines by
        level), each with `mean`, `low` and `high` `[K, K]`, the row being the task that brings something and the
        column the one that gets it; `pairs`, with the mean of both directions and a `verdict` of the look-ahead
        affinity; `groupings` by score.
    """
    seen = list(records.values())
    tasks = seen[0].tasks
    common = scores.shared(np.sum([record.both for record in seen], axis=0))
    estimate = linearised.estimate([record.sketches for record in seen])
    whole = [record.cosines[WHOLE] for record in seen]
    ahead = [record.lookahead for record in seen]
    found = {
        LOOKAHEAD: bootstrap.over_steps(ahead),
        COSINE: bootstrap.over_steps(whole),
        LINEARISED: estimate.interval(),
    }
    both = {
        LOOKAHEAD: bootstrap.over_steps([scores.symmetric(values) for values in ahead]),
        COSINE: found[COSINE],
        LINEARISED: estimate.interval(scores.symmetric),
    }
    levels = {level: bootstrap.over_steps([record.cosines[level] for record in seen]) for level in seen[0].cosines}
    return {
        "tasks": tasks,
        "seeds": {
            str(seed): {"steps": record.steps.tolist(), "ratio": record.ratio, "seconds": record.seconds}
            | {"broken": record.broken}
            for seed, record in records.items()
        },
        "shared": common.tolist(),
        "scores": {name: plain(interval) for name, interval in found.items()},
        "levels": {level: plain(interval) for level, interval in levels.items()},
        "pairs": [_pair(tasks, first, second, common, both) for first, second in _pairs(len(tasks))],
        "groupings": {name: _grouping(tasks, interval.mean, common, models) for name, interval in found.items()},
    }


def known(affinities: np.ndarray, common: np.ndarray) -> np.ndarray:
    """Return affinities with NaN for the pairs of which too few images are labelled for both."""
    return np.where(common < scores.COMMON, np.nan, affinities)


def plain(interval: Interval) -> dict[str, Any]:
    """Return an interval as JSON has it."""
    return {name: listed(values) for name, values in interval._asdict().items()}


def _pairs(count: int) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(count), 2))


def _pair(tasks: list[str], first: int, second: int, common: np.ndarray, both: Mapping[str, Interval]) -> dict:
    """Return what is known of a pair; its verdict is that of the look-ahead affinity."""
    own = {
        name: dict(zip(interval._fields, (float(values[first, second]) for values in interval), strict=True))
        for name, interval in both.items()
    }
    ahead, fraction = own[LOOKAHEAD], float(common[first, second])
    return {
        "tasks": [tasks[first], tasks[second]],
        "shared": fraction,
        **{name: {key: listed(np.array(value)) for key, value in values.items()} for name, values in own.items()},
        "verdict": scores.verdict(ahead["low"], ahead["high"], fraction),
    }


def _grouping(tasks: list[str], affinities: np.ndarray, common: np.ndarray, models: int) -> dict[str, Any]:
    found = grouping.best(known(affinities, common), models)
    groups = [[tasks[task] for task in group] for group in sorted(found.groups)]
    pairs = [np.isfinite(known(scores.symmetric(affinities), common))[pair] for pair in _pairs(len(tasks))]
    counts = {"known": int(sum(pairs)), "pairs": len(pairs)}
    return {"groups": groups, "score": found.score, "exact": found.exact, "models": models} | counts
