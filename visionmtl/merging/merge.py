"""Merging of runs: read and checked, merged, and written as a run folder."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from pipelines import DataError
from visionmtl.errors import UsageError, check_number
from visionmtl.files import written_folder
from visionmtl.merging import learning, members, methods, recipes, starts, statistics
from visionmtl.merging.task_vectors import Arrays, between, merged
from visionmtl.model import MultiTaskModel
from visionmtl.recipe import Recipe
from visionmtl.training import building, circumstances, devices, runs

BATCHES = 20


def merge(
    folders: Sequence[str | Path],
    out: str | Path | None = None,
    method: str = "arithmetic",
    scale: float | None = None,
    keep: float | None = None,
    batches: int = BATCHES,
    steps: int | None = None,
) -> Path:
    """Merge runs of different tasks into a model of all of them, on one backbone, and return its run folder.

    What training added to each backbone, from the one start that all have, is combined and added to that start. Necks
    and heads are each run's own, as they were. Statistics of batch normalisation in the backbone are measured anew, or
    the mean of the runs'.

    Args:
        folders: two runs or more with the same backbone, image size, resizing and neck, of `model.sharing=hard`.
        out: the folder to make; default `runs/merged-<n>`.
        method: "arithmetic", "ties" or "adamerging".
        scale: of the combined task vector; default 0.4 of arithmetic, 1 of ties; adamerging learns it.
        keep: the fraction of each task vector that ties keeps; default 0.2.
        batches: of training pictures, on which statistics are measured; 0 for the mean of the runs'.
        steps: of adamerging, each on a batch of training pictures without their labels; default 500.

    Raises:
        UsageError: the runs cannot be merged, or began with weights that are not known; or one has a task without
            classes, whose outputs have no entropy for adamerging to learn by.

    Example:
        >>> merge(["runs/boxes-1", "runs/masks-1"], "runs/both", method="ties")  # doctest: +SKIP
        PosixPath('runs/both')
    """
    chosen = methods.chosen(method, scale, keep, steps)
    check_number("merge", "batches", batches, at_least=0, whole=True)
    if out is not None:
        runs.refuse_taken(out, "or remove it")
    found = members.members(folders)
    if chosen.steps:
        tasks = {name: task for member in found for name, task in member.model.tasks.items()}
        learning.refuse_undecidable(tasks, methods.that_learn_nothing())
    recipe = recipes.of_all(found, "merged" if out is None else Path(out).resolve().name)

    def fresh(weights: str | None) -> MultiTaskModel:
        return _model(found, recipe, weights)

    model = fresh(None)
    stages = sorted(model.parts["backbone"])  # by level
    before = starts.common(found, fresh, stages)
    model.start_from({task: member.model for member in found for task in member.model.tasks})
    backbone = [model.get_layer(stage) for stage in stages]
    training: Any = _training(recipe, model) if batches or chosen.steps else ()
    _give(model, backbone, before, found, chosen, training)
    measured = statistics.measure(backbone, (images for images, *_ in training.take(batches))) if batches else 0
    model.compile("adamw")  # as a model must be to be measured
    run = runs.numbered("merged") if out is None else runs.refuse_taken(out)
    with written_folder(run.absolute().parent) as (unfinished, name):
        runs.new(recipe, unfinished)
        circumstances.keep(unfinished, devices.alone())
        model.save_without_state(unfinished / "best.keras")
        name(run.absolute())
    of = f"measured on {measured} batches of training pictures" if measured else "the mean of the runs'"
    by = method if chosen.steps else f"{method}, scale {chosen.scale:g}"
    told = " and ".join(f"{', '.join(member.model.tasks)} of {member.run}" for member in found)
    print(f"Merged {told} by {by}: {model.count_params():,} parameters, statistics of batch normalisation {of}.")
    return run


def _model(found: Sequence[members.Member], recipe: Recipe, weights: str | None) -> MultiTaskModel:
    """Return a model of all runs' tasks, each with a neck of its own."""
    tasks: list[Any] = []
    confidences: dict[str, Any] = {}
    for member in found:
        saved = member.model.get_config()["tasks"]
        tasks += [keras.saving.deserialize_keras_object(task) for task in saved if _is_of(task, member.model)]
        confidences |= member.model.confidences or {}
    return MultiTaskModel(
        tasks,
        backbone=recipe.model.backbone,
        image_shape=(*recipe.data.image_size, 3),
        sharing={"name": recipe.model.sharing.name, **recipe.model.sharing.options},
        weights=weights,
        neck=recipe.model.neck,
        resize=recipe.data.resize,
        recipe={"name": recipe.name, "text": recipe.dump()},
        confidences=confidences,
    )


def _is_of(task: dict[str, Any], model: MultiTaskModel) -> bool:
    return task["config"]["name"] in model.tasks


def _values(model: MultiTaskModel, stages: Sequence[str]) -> Arrays:
    """Return the variables of consecutive stages."""
    return [values for stage in stages for values in model.get_layer(stage).get_weights()]


def _give(
    model: MultiTaskModel,
    backbone: Sequence[keras.Model],
    before: Arrays,
    found: Sequence[members.Member],
    method: methods.Method,
    training: Any,
) -> None:
    """Give a backbone what runs make of their start together: variables that learn are merged, others averaged."""
    trained = [_values(member.model, [stage.name for stage in backbone]) for member in found]
    variables = [variable for stage in backbone for variable in stage.weights]
    learns = {id(variable) for stage in backbone for variable in stage.trainable_weights}
    learnt = [place for place, variable in enumerate(variables) if id(variable) in learns]
    still = [place for place, variable in enumerate(variables) if id(variable) not in learns]
    start, ends = _at(before, learnt), [_at(each, learnt) for each in trained]
    combine = method.combine
    if method.steps:
        learners, vectors = [variables[place] for place in learnt], between(start, ends)
        coefficients = learning.coefficients(model, backbone, learners, start, vectors, training, method.steps)
        for member, row in zip(found, coefficients, strict=True):
            print(f"Coefficients of {member.run}: {row.mean():.3f}, from {row.min():.3f} to {row.max():.3f}.")
        combine = functools.partial(combine, coefficients=coefficients)
    values = dict(zip(learnt, merged(start, ends, combine, method.scale), strict=True))
    values |= zip(still, statistics.means([_at(each, still) for each in trained]), strict=True)
    for place, variable in enumerate(variables):
        variable.assign(values[place])


def _at(arrays: Arrays, places: Sequence[int]) -> Arrays:
    return [arrays[place] for place in places]


def _training(recipe: Recipe, model: MultiTaskModel) -> Any:
    """Return the training split, a data set of batches.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return building.data(recipe, ["train"], model).splits["train"]
    except (UsageError, DataError) as error:
        raise UsageError(
            f"Pictures of the training split cannot be read: {error} To merge without any, give --batches 0 and no"
            " method that learns."
        ) from None
