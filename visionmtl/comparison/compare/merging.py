"""The finished cells of other folders, taken over."""

import json
import os
import shlex
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from visionmtl import known_by
from visionmtl import recipe as recipes
from visionmtl.comparison.compare import asking, surveying
from visionmtl.comparison.compare.asking import Asked
from visionmtl.comparison.compare.cells import difference, hash_of
from visionmtl.comparison.compare.surveying import Survey
from visionmtl.errors import UsageError
from visionmtl.files import told
from visionmtl.recipe import Recipe
from visionmtl.training import lock, runs

RECIPE = "recipe.yaml"
BESIDE = (".yaml", ".json", ".log")


class Merged(NamedTuple):
    """How many trainings were taken over, and what of the other comparisons is not asked for here, in sentences."""

    taken: int
    told: list[str]


def merge(folder: Path, others: Iterable[str], recipe: Recipe, asked: Asked, survey: Survey) -> Merged:
    """Copy the finished cells that a comparison lacks from the folders of others.

    Args:
        folder: the comparison's.
        others: folders of comparisons of the same recipe, its data wherever it lies.
        recipe: what is compared.
        asked: what the comparison is of.
        survey: what its data holds.

    Raises:
        UsageError: one is no comparison, of another recipe, or of other data.
    """
    folders, told = [Path(other) for other in others], list[str]()
    for other in folders:
        if not (other / known_by.COMPARISON).is_file():
            raise UsageError(f"--merge was given '{other}', which is no folder of `visionmtl compare`.")
        theirs = recipes.load(other / RECIPE)
        if hash_of(theirs) != hash_of(recipe):
            why = difference(theirs, recipe)
            raise UsageError(f"--merge was given '{other}', which compares another recipe than '{folder}': {why}.")
        found = surveying.survey(recipe, other) if (other / surveying.FILE).is_file() else survey
        if (found.tasks, found.steps) != (survey.tasks, survey.steps):
            raise UsageError(
                f"--merge was given '{other}', whose data is not that of '{folder}': {_data(found)}, not"
                f" {_data(survey)}."
            )
        told += _unasked(other, asking.read(other), asked)
    count, root = 0, folder / "cells"
    for other in folders:
        for run in sorted((other / "cells").glob("*")):
            if run.is_dir() and runs.is_finished(run) and not _is_finished(root, run.name.rpartition("-")[2]):
                _take(run, root)
                count += 1
    return Merged(count, told)


def _data(survey: Survey) -> str:
    tasks = ", ".join(f"{name} of {of['classes']} classes" for name, of in survey.tasks.items())
    return f"{survey.steps} steps an epoch, {tasks}"


def _unasked(folder: Path, other: Asked, asked: Asked) -> Iterator[str]:
    """Yield what another comparison is of, and this one is not."""
    for changes in other.arms:
        if changes not in asked.arms:
            given = " ".join(f"{key}={json.dumps(value)}" for key, value in changes.items())
            add = f"--arm {shlex.quote(given)}" if given else "an --arm that is the recipe as it is"
            yield f"'{folder}' has an arm that is not asked for here; to add it: {add}"
    if other.seeds > asked.seeds:
        yield f"'{folder}' has {other.seeds} seeds, here {asked.seeds} are asked for; for all: --seeds {other.seeds}"
    for option, one, two in (
        ("--search", asking.of_search(other.search), asking.of_search(asked.search)),
        ("--budget", asking.of_budget(other.budget), asking.of_budget(asked.budget)),
    ):
        if one != two:
            yield f"'{folder}' has {option} {one}, and here it is {two}: only what is the same in both is of use."


def _is_finished(root: Path, key: str) -> bool:
    return any(runs.is_finished(run) for run in root.glob(f"*-{key}") if run.is_dir())


def _take(run: Path, root: Path) -> None:
    """Copy a run and what lies beside it; the run's folder has its name only once it is whole."""
    partial, target = root / f".{run.name}.partial", root / run.name
    with told(target):
        shutil.rmtree(partial, ignore_errors=True)
        for unfinished in root.glob(f"*-{run.name.rpartition('-')[2]}"):  # of the same training, not whole
            lock.refuse_held(unfinished)
            shutil.rmtree(unfinished)
        shutil.copytree(run, partial)
        for suffix in BESIDE:
            beside = run.with_name(f"{run.name}{suffix}")
            if beside.is_file():
                shutil.copy(beside, root / beside.name)
        os.replace(partial, target)
