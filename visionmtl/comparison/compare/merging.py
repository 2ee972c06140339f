"""The finished cells of other folders, taken over."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from visionmtl import recipe as recipes
from visionmtl.comparison.compare import asking
from visionmtl.comparison.compare.cells import hash_of
from visionmtl.errors import UsageError
from visionmtl.files import told
from visionmtl.recipe import Recipe
from visionmtl.training import lock, runs

RECIPE = "recipe.yaml"
BESIDE = (".yaml", ".json", ".log")


def merge(folder: Path, others: Iterable[str], recipe: Recipe) -> int:
    """Copy the finished cells that a comparison lacks from the folders of others, and return how many.

    Args:
        folder: the comparison's.
        others: folders of comparisons of the same recipe, its data wherever it lies.
        recipe: what is compared.

    Raises:
        UsageError: one is no comparison, or of another recipe.
    """
    folders = [Path(other) for other in others]
    for other in folders:
        if not (other / asking.FILE).is_file():
            raise UsageError(f"--merge was given '{other}', which is no folder of `visionmtl compare`.")
        if hash_of(recipes.load(other / RECIPE)) != hash_of(recipe):
            raise UsageError(f"--merge was given '{other}', which compares another recipe than '{folder}'.")
    count, root = 0, folder / "cells"
    for other in folders:
        for run in sorted((other / "cells").glob("*")):
            if run.is_dir() and runs.is_finished(run) and not _is_finished(root, run.name.rpartition("-")[2]):
                _take(run, root)
                count += 1
    return count


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
