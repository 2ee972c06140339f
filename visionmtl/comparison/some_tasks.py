"""A recipe of some of its tasks: what it says of the others is left out, so that it trains as it is."""

from collections.abc import Collection, Iterable
from typing import Any

from visionmtl.errors import UsageError
from visionmtl.recipe import Recipe, changed


def of_tasks(recipe: Recipe, chosen: Iterable[str], every: Iterable[str]) -> Recipe:
    """Return a recipe that trains these of its tasks alone.

    What is said of other tasks is left out: a mask of theirs that a task reads, parts of them in what `training`
    freezes, their entries in the options of `balancing` and `model.sharing`, and a `training.monitor` of theirs, in
    place of which is the score of all.

    Args:
        recipe: of all tasks.
        chosen: names of tasks.
        every: names of all its tasks, which a recipe need not name.

    Example:
        >>> whole = recipe.load("garments", ["balancing={method: fixed, weights: {detection: 2, segmentation: 3}}"])
        >>> of_tasks(whole, ["detection"], ["classification", "detection", "segmentation"]).balancing.options
        {'weights': {'detection': 2}}
    """
    chosen = list(chosen)
    others = set(every) - set(chosen)
    training, sharing, balancing = recipe.training, recipe.model.sharing, recipe.balancing
    plain = balancing.model_dump(include=set(type(balancing).model_fields))
    changes: dict[str, Any] = {
        "tasks": {task: _unread(others, (recipe.tasks or {}).get(task, {})) for task in chosen},
        "model.sharing": {"name": sharing.name, **_without(others, sharing.options)},
        "balancing": plain | _without(others, balancing.options),
        "training.freeze": [part for part in training.freeze if part not in others],
        "training.freeze_statistics": [part for part in training.freeze_statistics if part not in others],
    }
    monitored = [task for task in {*chosen, *others} if training.monitor.startswith(f"val_{task}_")]
    if max(monitored, key=len, default=None) in others:  # of tasks "cars" and "cars_far" the longer name is meant
        changes["training.monitor"] = "val_score"
    return changed(recipe, changes)


def alone(recipe: Recipe, task: str, every: Iterable[str]) -> Recipe:
    """Return a recipe of a model for one task: nothing is shared, nothing weighed."""
    single = {"model.sharing": "hard", "balancing": {"method": "equal", "watch": None}}
    return of_tasks(changed(recipe, single), [task], every)


def check_same_pictures(recipe: Recipe) -> None:
    """Return where models of some of a recipe's tasks train on the pictures that a model of all does.

    Raises:
        UsageError: what is broken is left out, which differs by the labels that are read.
    """
    if recipe.data.on_error == "skip":
        raise UsageError(
            "data.on_error is skip: a picture with one broken label is left out of the models that learn it, and of no "
            "other, so that they would not train on the same pictures. Leave it out for all, once, by `visionmtl data "
            "pack --on-error skip`, and take what that writes, with data.on_error=stop."
        )


def _unread(others: Collection[str], options: dict[str, Any]) -> dict[str, Any]:
    """Return a task's options without the mask of a task that is not learnt."""
    return {key: value for key, value in options.items() if key != "mask" or not _is(value, others)}


def _without(others: Collection[str], options: dict[str, Any]) -> dict[str, Any]:
    """Return options without what they say of other tasks; those that say nothing else are left out."""
    kept = {key: _pruned(others, value) for key, value in options.items()}
    return {key: value for key, value in kept.items() if value or not options[key]}


def _pruned(others: Collection[str], value: Any) -> Any:
    """Return a value without the tasks in it that are not learnt: as keys, as items, or all that stands for a key."""
    if isinstance(value, dict):
        kept = {key: _pruned(others, of) for key, of in value.items() if key not in others and not _is(of, others)}
        return {key: of for key, of in kept.items() if of not in ({}, []) or value[key] in ({}, [])}
    if isinstance(value, list):
        return [_pruned(others, of) for of in value if not _is(of, others)]
    return value


def _is(value: Any, others: Collection[str]) -> bool:
    return isinstance(value, str) and value in others
