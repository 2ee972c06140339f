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


class NoValidationError(UsageError):
    """Gains that are asked for, of data without a validation split."""


def record(recipe: Recipe, run: Path, validated: bool = False) -> Record:
    """Return what is seen of a training in a run folder, trained, gone on with, or found finished.

    Args:
        recipe: what is trained.
        run: the run folder.
        validated: whether there must be a validation split.

    Raises:
        UsageError, pipelines.DataError: what `training.train` raises; or no gradients meet.
    """
    check_recipe(recipe, run)

    def watching(session: Any) -> Sequence[callbacks.Callback]:
        if validated and session.datasets.validation is None:
            raise NoValidationError(no_validation(recipe))
        settings = session.recipe.training
        total, rate = settings.epochs * session.steps, settings.learning_rate * session.recipe.rate_scale
        return [AffinityWatch(rate, settings.clip_norm, total, run / SEEN)]

    if not (run / "recipe.yaml").is_file():
        training.train(recipe, run, one_device(), watching=watching)
    elif not runs.is_finished(run):
        training.resume(run, one_device(), watching=watching)
    if not (run / SEEN).is_file():
        raise UsageError(f"The training in '{run}' was not looked at: remove that folder, and give the command again.")
    return Record.read(run / SEEN)


def no_validation(recipe: Recipe) -> str:
    """Return why no gain is known of a recipe's data."""
    return (
        f"The data of recipe {recipe.name} has no validation split, by which --verify measures what pairs gain: name"
        " one in data, or leave --verify out."
    )


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
