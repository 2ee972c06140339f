"""`affinity`: a recipe's tasks looked at in joint trainings, told in a folder."""

import contextlib
import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pipelines
from visionmtl import known_by, stopping
from visionmtl.comparison.affinity import charts, figures, groups, joint, page, verifying
from visionmtl.comparison.affinity.figures import LOOKAHEAD
from visionmtl.comparison.affinity.joint import NoValidationError
from visionmtl.comparison.affinity.look import NothingSharedError
from visionmtl.comparison.affinity.pace import BUDGET
from visionmtl.comparison.some_tasks import check_same_pictures
from visionmtl.errors import UsageError, check_number
from visionmtl.files import write_text
from visionmtl.recipe import Recipe


def affinity(
    recipe: Recipe,
    folder: str | Path | None = None,
    models: int = 2,
    seeds: int = 1,
    verify: float | None = None,
    command: str = "",
) -> dict[str, Any]:
    """Train a recipe once a seed, look at how its tasks get on, and write and print what was seen.

    Args:
        recipe: of two tasks or more.
        folder: where to; default `runs/affinity-<recipe>-<n>`. What is trained in it already is not trained again.
        models: among how many the tasks are to be divided at most.
        seeds: how many trainings.
        verify: the fraction of the budget for which every pair and every task alone is trained too; None for none but
            what was in the folder before.
        command: that makes this again, for the page.

    Returns:
        What `affinity.json` holds; see `figures.figures`.

    Raises:
        UsageError, pipelines.DataError: an argument, the recipe or the data is wrong, or no gradients meet.
    """
    check_number("affinity", "models", models, at_least=1, whole=True)
    check_number("affinity", "seeds", seeds, at_least=1, whole=True)
    if verify is not None:
        check_number("affinity", "verify", verify, above=0, up_to=1)
        check_same_pictures(recipe)
    if recipe.tasks is not None and len(recipe.tasks) < 2:
        raise UsageError(
            f"The one task '{next(iter(recipe.tasks))}' has none to get on with: affinity takes two or more."
        )
    if recipe.data.sampling.method == "alternate":
        raise UsageError(
            "data.sampling.method is alternate: a batch has labels of one task, so that no look sees two of them;"
            " choose another, such as data.sampling.method=proportional."
        )
    if folder is not None:
        _refuse_taken(Path(folder))
    there = folder is not None and Path(folder).exists()
    place = joint.folder(recipe) if folder is None else Path(folder)
    try:
        records = {}
        for seed, each in joint.seeds(recipe, seeds).items():
            records[seed] = _record(each, place / f"seed-{seed}", verify is not None)
            _tell(seed, records[seed])
        found = {"recipe": recipe.name, "recipes": True, "command": command, "precision": recipe.training.precision}
        found |= figures.figures(records, models)
        if verify is not None:
            first = next(iter(records.values()))
            steps = first.total // recipe.training.epochs
            trained = place / f"verify-{verify:g}"
            found["verified"] = verifying.verify(recipe, trained, verify, steps, first.lower, found)
        elif (before := _before(place)) is not None and before["tasks"] == found["tasks"] and "verified" in before:
            found["verified"] = verifying.ranked(before["verified"], found)
    except KeyboardInterrupt as stopped:
        again = f"{command} --run {shlex.quote(str(place))}"
        raise stopping.saying(stopped, f"Go on with: {again}", resumable=True) from None
    except (UsageError, pipelines.DataError):
        if not there:
            with contextlib.suppress(OSError):  # something was trained
                place.rmdir()
        raise
    return _written(recipe, place, found, records)


def _record(recipe: Recipe, run: Path, validated: bool) -> Any:
    """Return what is seen of a training, of which no folder stays where it says nothing."""
    there = run.exists()
    try:
        return joint.record(recipe, run, validated)
    except (NothingSharedError, NoValidationError):
        if not there:
            shutil.rmtree(run, ignore_errors=True)
        raise


def _refuse_taken(folder: Path) -> None:
    """Return if an affinity may be written into a folder, or was.

    Raises:
        UsageError: it is something else.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"'{folder}' is a file: name a folder for --run.")
    if any(folder.iterdir()) and not (any(folder.glob("seed-*")) or (folder / known_by.AFFINITY).is_file()):
        raise UsageError(f"'{folder}' is there already, and no affinity was looked at in it: name another --run.")


def _before(place: Path) -> dict[str, Any] | None:
    """Return the figures that a folder holds already; None where there are none that can be read."""
    try:
        found: dict[str, Any] = json.loads((place / known_by.AFFINITY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _written(recipe: Recipe, place: Path, found: dict[str, Any], records: dict[int, Any]) -> dict[str, Any]:
    """Write the folder's figures, charts, recipes and page, and print them."""
    write_text(place / known_by.AFFINITY, json.dumps(found, indent=1, allow_nan=False) + "\n")
    charts.write_all(place / "plots", found, records)
    groups.write(place, recipe, found["groupings"][LOOKAHEAD]["groups"])
    written = page.write(place, found, records)
    print(f"\n{page.terminal(found)}\n\n{page.BELIEF}\n\nPage {written}")
    return found


def _tell(seed: int, record: Any) -> None:
    """Print what a training was looked at, and whether it stayed within its time."""
    print(f"Seed {seed}: {len(record.steps)} looks, {record.ratio:.2f} of the time of the training alone.")
    if record.ratio > 1 + BUDGET:
        short = f"the training is so short ({record.total} steps)"
        print(f"That is beyond {1 + BUDGET:.1f}: {short} that to trace the looks and make the fewest takes longer.")
    if record.broken:
        print(f"In {record.broken} of {len(record.steps)} looks a loss was NaN or infinite: it does not count there.")
