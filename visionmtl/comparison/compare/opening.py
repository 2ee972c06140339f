"""The folder of a comparison, made or found again, and what it is of."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import keras

from visionmtl import known_by
from visionmtl import recipe as recipes
from visionmtl.comparison.compare import asking, widths
from visionmtl.comparison.compare.arms import Arm, arms, varied
from visionmtl.comparison.compare.asking import Asked, Request
from visionmtl.comparison.compare.cells import difference, hash_of
from visionmtl.comparison.compare.surveying import FILE, Survey, look, survey
from visionmtl.errors import UsageError
from visionmtl.files import write_text
from visionmtl.recipe import Recipe
from visionmtl.training import processes, runs

RECIPE = "recipe.yaml"


class Opened(NamedTuple):
    """A comparison's folder, the recipe of all its arms, what it is of, and what its data holds."""

    folder: Path
    recipe: Recipe
    asked: Asked
    survey: Survey


def opened(request: Request, command: str) -> Opened:
    """Return the folder of a comparison, made where there is none yet.

    All that can be told of a mistake is told before the folder is made or changed.

    Raises:
        UsageError: a mistake in what was asked; the folder is taken, or of another recipe.
    """
    given, run = Path(request.recipe), None if request.run is None else Path(request.run)
    going_on = (given / known_by.COMPARISON).is_file()
    if going_on and (request.overrides or run):
        raise UsageError(f"'{given}' has a recipe of its own: to change it, compare into another folder by --run.")
    there = given if going_on else run if run and (run / known_by.COMPARISON).is_file() else None
    recipe = recipes.load(given / RECIPE if going_on else request.recipe, request.overrides)
    if there is None:
        if run is not None:
            _refuse_taken(run)
        asked = asking.asked(request, command)
        _check(recipe, asked)
        found = look(recipe, asked.evaluate)
        _check_models(arms(recipe, asked, found))
        folder = run or runs.numbered(f"compare-{recipe.name}")
        found.keep(folder)
        write_text(folder / RECIPE, recipe.dump())
    else:
        folder, kept = there, recipes.load(there / RECIPE)
        if hash_of(kept) != hash_of(recipe):
            raise UsageError(
                f"'{there}' compares another recipe ({difference(kept, recipe)}): make another folder by --run, or give"
                " none."
            )
        recipe = recipe.model_copy(update={"name": kept.name})  # its data lies where it is now said to
        before = asking.read(there)
        asked = asking.asked(request, command, before)
        _check(recipe, asked)
        if asked.evaluate != before.evaluate:
            look(recipe, asked.evaluate)
        found = survey(recipe, there)
        made = arms(recipe, asked, found)
        _check_models(made if asked.arms != before.arms else [])
    with processes.one_at_a_time(folder):
        asked.write(folder)
    return Opened(folder, recipe, asked, found)


def _refuse_taken(run: Path) -> None:
    """Refuse a folder that holds something else than a comparison, or one that was killed as it began."""
    begun = [path.name for path in run.iterdir()] if run.is_dir() else []
    if FILE in begun and set(begun) <= {FILE, RECIPE}:
        return
    try:
        runs.refuse_taken(run)
    except UsageError:
        raise UsageError(f"'{run}' is there already, and no comparison: name another folder by --run.") from None


def _check(recipe: Recipe, asked: Asked) -> None:
    """Return if all that is asked for can be, as far as is known without the data."""
    varied(recipe, asked)
    widths.check(asked)


def _check_models(made: Iterable[Arm]) -> None:
    """Return if the models that arms start from can be loaded, each once.

    Raises:
        UsageError: one cannot.
    """
    for start in dict.fromkeys(start for arm in made for part in arm.parts for start in part.recipe.model.starts):
        runs.load_model(start)
        keras.backend.clear_session()
