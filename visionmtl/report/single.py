"""What single-task models of the same recipe reached, where `compare` trained them."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml

from visionmtl import known_by
from visionmtl.recipe.keys import leaves

CELLS = "cells"
# What the arms of a comparison may differ in, and where files lie: not what is compared for the same budget.
ARMS = ("name", "balancing", "model.sharing", "model.start", "training.seed", "data.path", "data.cache_folder")


class Single(NamedTuple):
    """The single-task models of a comparison.

    Attributes:
        name: of its folder.
        seeds: how many of each task were trained; figures are their mean.
        metrics: as in `metrics.json`, by split, task and metric.
    """

    name: str
    seeds: int
    metrics: Mapping[str, Mapping[str, Mapping[str, float]]]


def single_tasks(folder: Path, recipe: str) -> Single | None:
    """Return the single-task models that a run may be compared with; None where there are none.

    They are those of the comparison that the run is a cell of, or of the newest one beside it whose recipe is the run's
    but for balancing, sharing and seed: models trained with another budget say nothing.

    Args:
        folder: the run's.
        recipe: the text of its `recipe.yaml`.
    """
    folder = folder.resolve()
    if folder.parent.name == CELLS:
        return _read(folder.parents[1])
    own = _compared(recipe)
    beside = sorted(folder.parent.glob(f"*/{known_by.COMPARED}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in beside if own else ():
        if _compared(_text(path.with_name("recipe.yaml"))) == own and (found := _read(path.parent, of_time=False)):
            return found
    return None


def _read(comparison: Path, of_time: bool = True) -> Single | None:
    """Return those of a comparison's folder, also where all its arms had the same time instead of the same steps."""
    try:
        content = json.loads(_text(comparison / known_by.COMPARED))
        if not of_time and (content.get("budget") or {}).get("of") == "seconds":
            return None
        arm = next(arm for arm in content["arms"] if arm.get("alone"))
        seeds = list(arm["seeds"].values())
        metrics = {str(content["split"]): _mean(each["metrics"] for each in seeds)}
        if all("validation" in each for each in seeds):
            metrics["validation"] = _mean(each["validation"] for each in seeds)
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return None
    return Single(comparison.name, len(seeds), metrics) if seeds else None


def _mean(seeds: Iterable[Mapping[str, Mapping[str, float | None]]]) -> dict[str, dict[str, float]]:
    """Return the mean over seeds of each task's metrics, NaN where one lacks it."""
    found: dict[str, dict[str, list[float]]] = {}
    for tasks in seeds:
        for task, values in tasks.items():
            for metric, value in values.items():
                found.setdefault(task, {}).setdefault(metric, []).append(math.nan if value is None else value)
    return {task: {metric: float(np.mean(all_)) for metric, all_ in of.items()} for task, of in found.items()}


def _compared(recipe: str) -> dict[str, Any]:
    """Return what of a recipe must be the same; nothing where it is broken."""
    try:
        content = yaml.safe_load(recipe)
    except yaml.YAMLError:
        return {}
    flat = dict(leaves(content)) if isinstance(content, Mapping) else {}
    return {key: value for key, value in flat.items() if not any(f"{key}.".startswith(f"{arm}.") for arm in ARMS)}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
