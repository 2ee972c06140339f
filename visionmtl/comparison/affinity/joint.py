"""The joint trainings that are looked at, one a seed: run folders like any other, each with what was seen of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from visionmtl import callbacks, training
from visionmtl.comparison.affinity.record import Record
from visionmtl.comparison.affinity.watch import AffinityWatch
from visionmtl.errors import UsageError
from visionmtl.recipe import Recipe
from visionmtl.training import runs

SEEN = "affinity.npz"


def record(recipe: Recipe, run: Path) -> Record:
    """Return what is seen of a training in a run folder, trained, gone on with, or found finished.

    Raises:
        UsageError, pipelines.DataError: what `training.train` raises; or no gradients meet.
    """
    check_recipe(recipe, run)
    if (run / SEEN).is_file():
        return Record.read(run / SEEN)
    made: list[AffinityWatch] = []

    def watching(session: Any) -> Sequence[callbacks.Callback]:
        settings = session.recipe.training
        total = settings.epochs * session.steps
        made.append(AffinityWatch(settings.learning_rate, settings.clip_norm, total))
        return made

    if not (run / "recipe.yaml").is_file():
        training.train(recipe, run, one_device(), watching=watching)
    elif not runs.is_finished(run):
        training.resume(run, one_device(), watching=watching)
    if not made:
        raise UsageError(f"The training in '{run}' was not looked at: remove that folder, and give the command again.")
    seen = made[0].record
    assert seen is not None
    seen.write(run / SEEN)
    return seen


def check_recipe(recipe: Recipe, run: Path) -> None:
    """Raise UsageError where a run folder is of another recipe."""
    path = run / "recipe.yaml"
    if path.is_file() and path.read_text(encoding="utf-8") != recipe.dump():
        raise UsageError(f"'{run}' was trained from another recipe, or with other settings: name another --run.")


def seeds(recipe: Recipe, count: int) -> dict[int, Recipe]:
    """Return the recipe with as many seeds, the first its own."""
    first = recipe.training.seed
    return {seed: with_seed(recipe, seed) for seed in range(first, first + count)}


def with_seed(recipe: Recipe, seed: int) -> Recipe:
    """Return a recipe with another seed."""
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"seed": seed})})


def folder(recipe: Recipe) -> Path:
    """Make the folder of an affinity, the next `runs/affinity-<recipe>-<n>`."""
    return runs.numbered(f"affinity-{recipe.name}")


def one_device() -> list[str] | None:
    """Return the first of several GPUs: looks are made on one."""
    return ["GPU:0"] if len(tf.config.list_logical_devices("GPU")) > 1 else None
