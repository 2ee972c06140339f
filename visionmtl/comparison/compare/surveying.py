"""What a comparison must know of its recipe's data: the tasks, the steps of an epoch, which metrics fall."""

import contextlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

import pipelines
from visionmtl import tasks
from visionmtl.comparison.some_tasks import check_same_pictures
from visionmtl.errors import UsageError, one_of
from visionmtl.files import write_text
from visionmtl.recipe import Recipe, changed
from visionmtl.training import building

FILE = "survey.json"


@dataclass(frozen=True)
class Survey:
    """What there is to learn.

    Attributes:
        tasks: by name, `{"kind": "classification", "classes": 10}`.
        steps: of an epoch.
        lower: the metrics of which less is better.
    """

    tasks: dict[str, dict[str, Any]]
    steps: int
    lower: list[str]

    def keep(self, folder: Path) -> None:
        """Write it into the folder of its comparison."""
        write_text(folder / FILE, json.dumps(asdict(self), indent=1) + "\n")


def survey(recipe: Recipe, folder: Path) -> Survey:
    """Return what is known of a recipe's data, as it was kept in a folder, or else from the data.

    Raises:
        UsageError, pipelines.DataError: the data cannot be read, or there is one task only.
    """
    path = folder / FILE
    if path.is_file():
        with contextlib.suppress(ValueError, TypeError):
            return Survey(**json.loads(path.read_text(encoding="utf-8")))
    found = look(recipe)
    found.keep(folder)
    return found


def look(recipe: Recipe, evaluate: str | None = None) -> Survey:
    """Read the data of a recipe, and return what it holds; see `survey`.

    Args:
        recipe: of all arms.
        evaluate: a split that is to be measured in the end, which must be there.
    """
    check_same_pictures(recipe)
    datasets = building.data(recipe, dict.fromkeys(["train", "validation", *([evaluate] if evaluate else [])]))
    if datasets.validation is None:
        raise UsageError(f"The data of recipe {recipe.name} has no validation split, by which arms are compared.")
    if evaluate is not None and evaluate not in datasets.splits:
        there = ", ".join(datasets.splits)
        raise UsageError(f"--evaluate was given {evaluate}, but the data of recipe {recipe.name} has {there} alone.")
    if len(datasets.specs) < 2:
        only = ", ".join(spec.name for spec in datasets.specs)
        raise UsageError(f"Recipe {recipe.name} has one task, '{only}': whether sharing paid is asked of two or more.")
    steps = int(datasets.splits["train"].cardinality())
    steps = min(steps, recipe.training.steps or steps)
    described = {spec.name: {"kind": spec.kind, "classes": len(spec.classes)} for spec in datasets.specs}
    metrics = [metric for spec in datasets.specs for metric in tasks.from_spec(spec).metrics()]
    return Survey(described, steps, sorted({name for metric in metrics for name in metric.lower}))


def specs(survey: Survey, task: str | None = None) -> list[pipelines.LabelSpec]:
    """Return the labels of all tasks, or of one, with classes that have numbers for names."""
    return [
        pipelines.LabelSpec(name, of["kind"], tuple(f"class {number}" for number in range(of["classes"])))
        for name, of in survey.tasks.items()
        if task in (None, name)
    ]


def check_monitor(recipe: Recipe, survey: Survey) -> None:
    """Return if the training of a recipe of all tasks logs what it monitors.

    Raises:
        UsageError: it does not.
    """
    of = {spec.name: tasks.from_spec(spec).metrics() for spec in specs(survey)}
    logged = [f"val_{name}_{value}" for name, metrics in of.items() for each in metrics for value in each.result()]
    one_of(recipe.training.monitor, ["val_score", *logged], "log for training.monitor:")


def of_steps(recipe: Recipe, steps: int | None, survey: Survey) -> Recipe:
    """Return a recipe of so many optimizer steps, as near as epochs of one length come; None for its own.

    It is validated in its last epoch at least.
    """
    if steps is None:
        return recipe
    batches, training = steps * recipe.training.accumulate, recipe.training
    epochs = math.ceil(batches / survey.steps)
    changes = {"training.epochs": epochs, "training.steps": max(1, round(batches / epochs))}
    return changed(recipe, changes | ({"training.validate_every": epochs} if training.validate_every > epochs else {}))


def keep_off_gpus() -> int:
    """Leave the GPUs to the processes that train, and return how many there are."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        with contextlib.suppress(RuntimeError):  # they are in use by this process already
            tf.config.set_visible_devices([], "GPU")
    return len(gpus)
