"""How well cheap scores rank what joint training brings: every pair and every task alone, trained for a while."""

import itertools
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from visionmtl import training
from visionmtl.comparison.affinity import groups, joint
from visionmtl.comparison.affinity.scores import array
from visionmtl.comparison.delta_m import gains
from visionmtl.comparison.some_tasks import alone, of_tasks
from visionmtl.recipe import Recipe
from visionmtl.training import runs

DRAWS = 1000
LEAST = 3  # gains, of fewer of which there is no rank correlation
ENOUGH = 6  # pairs whose gains are known; of fewer, drawn anew, an interval says nothing
Correlations = dict[str, dict[str, float | None]]


def verify(
    recipe: Recipe, folder: Path, fraction: float, steps: int, lower: Sequence[str], found: Mapping[str, Any]
) -> dict[str, Any]:
    """Train every pair of tasks and every task alone, and return how each score ranks the gains.

    Args:
        recipe: of all tasks.
        folder: of the run folders; what is trained already is not trained again.
        fraction: of the recipe's steps.
        steps: of one of its epochs.
        lower: names of the metrics of which less is better.
        found: the figures of the affinity.

    Returns:
        `fraction`; `pairs`, each with its `gains`, of the first task by the second's company and the other way round;
        `fewer`, what was trained for fewer steps, as its sources have fewer pictures than all together; `ranks`, by
        score, `spearman` and `kendall`, each with `value`, `low` and `high`.
    """
    tasks = found["tasks"]
    short = groups.shortened(recipe, fraction, steps)
    chosen = [(task,) for task in tasks] + list(itertools.combinations(tasks, 2))
    results, fewer = {}, []
    for number, names in enumerate(chosen, 1):
        print(f"\n{number} of {len(chosen)}: {', '.join(names)} for {100 * fraction:g}% of the budget.")
        part = alone(short, names[0], tasks) if len(names) == 1 else of_tasks(short, names, tasks)
        results[names], made = _results(part, folder / "+".join(names))
        if made < short.training.epochs * (short.training.steps or 0) // short.training.accumulate:
            fewer.append(", ".join(names))
    single = {task: results[task,][task] for task in tasks}
    gained = np.full((len(tasks),) * 2, np.nan)
    for i, j in itertools.combinations(range(len(tasks)), 2):
        of = gains(results[tasks[i], tasks[j]], single, lower)
        gained[i, j], gained[j, i] = of[tasks[j]], of[tasks[i]]
    pairs = [
        {"tasks": [tasks[i], tasks[j]], "gains": [_number(gained[j, i]), _number(gained[i, j])]}
        for i, j in itertools.combinations(range(len(tasks)), 2)
    ]
    return ranked({"fraction": fraction, "pairs": pairs, "fewer": fewer}, found)


def ranked(verified: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return gains that were measured, with how the scores rank them now.

    Args:
        verified: what `verify` returns, without ranks or with others.
        found: the figures of the affinity.
    """
    places = {task: place for place, task in enumerate(found["tasks"])}
    gained = np.full((len(places),) * 2, np.nan)
    for pair in verified["pairs"]:
        i, j = (places[task] for task in pair["tasks"])
        gained[j, i], gained[i, j] = array(pair["gains"])
    ranks = {name: correlations(array(score["mean"]), gained) for name, score in found["scores"].items()}
    return {**verified, "ranks": ranks}


def correlations(affinities: np.ndarray, gained: np.ndarray, seed: int = 0) -> Correlations:
    """Return the rank correlations of a score with gains, over both directions of all pairs.

    Args:
        affinities: `[K, K]`, what the task of the row brings that of the column.
        gained: likewise, measured.
        seed: of the draws: pairs are drawn with replacement, both directions together, where there are six or more.
    """
    pairs = np.array(list(itertools.combinations(range(len(gained)), 2)))
    random = np.random.default_rng(seed)
    drawn = pairs[random.integers(0, len(pairs), (DRAWS, len(pairs)))]
    known = np.isfinite(affinities) & np.isfinite(gained)
    enough = sum(known[i, j] or known[j, i] for i, j in pairs) >= ENOUGH
    measures = {"spearman": stats.spearmanr, "kendall": stats.kendalltau}
    found: Correlations = {}
    for name, measure in measures.items():
        each = np.array([_correlation(measure, affinities, gained, chosen) for chosen in (drawn if enough else ())])
        each = each[np.isfinite(each)]
        ends = np.percentile(each, (2.5, 97.5)) if len(each) > DRAWS / 2 else (np.nan, np.nan)
        value = _correlation(measure, affinities, gained, pairs)
        found[name] = {"value": _number(value), "low": _number(ends[0]), "high": _number(ends[1])}
    return found


def _correlation(measure: Any, affinities: np.ndarray, gained: np.ndarray, pairs: np.ndarray) -> float:
    i, j = np.concatenate([pairs, pairs[:, ::-1]]).T
    x, y = affinities[i, j], gained[i, j]
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < LEAST:
        return np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        return float(measure(x[known], y[known]).statistic)


def _results(recipe: Recipe, run: Path) -> tuple[dict[str, dict[str, float]], int]:
    """Return the metrics of a run, trained, gone on with, or found finished, and its steps."""
    joint.check_recipe(recipe, run)
    if not ((run / "recipe.yaml").is_file() and runs.is_finished(run)):
        if (run / "recipe.yaml").is_file():
            training.resume(run, joint.one_device())
        else:
            training.train(recipe, run, joint.one_device())
    told = runs.read_metrics(run)
    if "validation" not in told:
        raise joint.NoValidationError(joint.no_validation(recipe))
    metrics = told["validation"].items()
    return {task: {k: np.nan if v is None else v for k, v in values.items()} for task, values in metrics}, told["steps"]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
