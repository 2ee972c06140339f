"""The runs that are merged: each read, and all of them checked to be models that one backbone can serve."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import visionmtl
from visionmtl.errors import UsageError
from visionmtl.model import MultiTaskModel
from visionmtl.recipe import Recipe
from visionmtl.report.summary import sessions
from visionmtl.training import runs


@dataclass(frozen=True)
class Member:
    """A run that is merged.

    Attributes:
        run: its folder.
        recipe: it was trained by.
        model: its best one.
    """

    run: Path
    recipe: Recipe
    model: MultiTaskModel

    @property
    def tasks(self) -> dict[str, dict[str, Any]]:
        """The options of its tasks, by name, as a recipe has them."""
        return {task: (self.recipe.tasks or {}).get(task, {}) for task in self.model.tasks}


def members(folders: Sequence[str | Path]) -> list[Member]:
    """Return the runs of some folders, if they can be merged.

    Raises:
        UsageError: they are fewer than two, one is no run or has no model yet, two have a task in common, or they
            differ in the backbone, its input or its neck, or in the version that trained them.
    """
    if len(folders) < 2:
        raise UsageError("Give two runs or more to merge, of different tasks.")
    recipes: dict[Path, Recipe] = {}
    for run in map(Path, folders):
        if run in recipes:
            raise UsageError(f"'{run}' was given twice: give runs of different tasks.")
        recipes[run] = runs.read_recipe(run)
    for run, recipe in recipes.items():
        _check_version(run)
        _check_sharing(run, recipe)
    first, *others = recipes
    for run in others:
        _check_alike(first, recipes[first], run, recipes[run])
    _check_tasks({run: recipe.tasks or () for run, recipe in recipes.items()})  # before models are read
    found = [Member(run, recipe, runs.load_model(run)[0]) for run, recipe in recipes.items()]
    _check_tasks({member.run: member.model.tasks for member in found})
    for run in recipes:
        if (run / "history.csv").is_file() and not runs.is_finished(run):
            print(f"'{run}' is not finished: what is merged is its best model so far.", flush=True)
    return found


def _check_version(run: Path) -> None:
    """Refuse a run of another version, whose backbone may have begun with other weights than this one's does."""
    versions = [session.get("versions") for session in sessions(run)]
    trained = {str(each["visionmtl"]) for each in versions if isinstance(each, dict) and "visionmtl" in each}
    if trained != {visionmtl.__version__}:
        by = f"by version {', '.join(sorted(trained))}" if trained else "by a version that it does not name"
        raise UsageError(
            f"'{run}' was trained {by} of visionmtl, and this is {visionmtl.__version__}: what it began with may not be"
            " the same here; train it anew, from model.start where it is to go on."
        )


def _check_sharing(run: Path, recipe: Recipe) -> None:
    sharing = recipe.model.sharing
    if sharing.name != "hard" or sharing.options.get("until") is not None:
        told = ", ".join(f"{key}={value}" for key, value in {"name": sharing.name, **sharing.options}.items())
        raise UsageError(
            f"'{run}' has model.sharing {told}: expected hard without until, that is one backbone that all its tasks"
            " read."
        )


def _check_alike(first: Path, its: Recipe, run: Path, own: Recipe) -> None:
    """Refuse a run that has another network than the first, up to the heads."""
    for key, one, other in (
        ("model.backbone", its.model.backbone, own.model.backbone),
        ("data.image_size", list(its.data.image_size), list(own.data.image_size)),
        ("data.resize", its.data.resize, own.data.resize),
        ("model.neck", its.model.neck, own.model.neck),
    ):
        if one != other:
            raise UsageError(
                f"'{first}' and '{run}' cannot be merged: {key} is {json.dumps(one)} of the one and"
                f" {json.dumps(other)} of the other."
            )


def _check_tasks(tasks: Mapping[Path, Iterable[str]]) -> None:
    """Refuse two runs of one task."""
    seen: dict[str, Path] = {}
    for run, names in tasks.items():
        for name in names:
            if (other := seen.setdefault(name, run)) != run:
                raise UsageError(
                    f"Task '{name}' is of both '{other}' and '{run}': a merged model has one head for each task, and"
                    " takes runs of different tasks."
                )
