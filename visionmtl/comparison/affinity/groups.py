"""Recipes of some of a recipe's tasks: those of a grouping, written for `visionmtl train`, and cuts of the budget."""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from visionmtl.comparison.some_tasks import of_tasks
from visionmtl.files import write_text
from visionmtl.recipe import Recipe, changed


def shortened(recipe: Recipe, fraction: float, steps: int) -> Recipe:
    """Return a recipe of a fraction of the steps, measured once, in the end.

    Its steps are those of the recipe's own epochs, also where some of the tasks have fewer sources.

    Args:
        recipe: whole.
        fraction: of its steps.
        steps: of one of its epochs.
    """
    settings = recipe.training
    wanted = max(1, math.ceil(settings.epochs * steps * fraction))
    epochs = math.ceil(wanted / steps)
    change: dict[str, Any] = {"epochs": epochs, "validate_every": epochs, "early_stopping": None}
    change["steps"] = math.ceil(wanted / epochs)
    change["warmup_epochs"] = min(settings.warmup_epochs * fraction * settings.epochs / epochs, epochs / 2)
    return recipe.model_copy(update={"training": settings.model_copy(update=change)})


def write(folder: Path, recipe: Recipe, groups: Sequence[Sequence[str]]) -> list[Path]:
    """Write `group-1.yaml` and so on into a folder, and return their paths; those of an earlier grouping go."""
    for old in folder.glob("group-*.yaml"):
        old.unlink()
    paths = []
    for number, tasks in enumerate(groups, 1):
        path = folder / f"group-{number}.yaml"
        group = of_tasks(recipe, tasks, itertools.chain.from_iterable(groups))
        write_text(path, changed(group, {"name": f"{recipe.name}-group-{number}"}).dump())
        paths.append(path)
    return paths
