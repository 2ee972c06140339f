"""The Gramians of a real training, taken step by step: what every way of comparing gradients would have seen of it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

import visionmtl
from visionmtl import recipe, tasks
from visionmtl.balancing import task_gradients
from visionmtl.step import parting
from visionmtl.step.cut import CutModel
from visionmtl.step.update import untouched
from visionmtl.training import building
from visionmtl.training.optimizers import optimizer

BINARY = 8  # classes of garments that are a task of their own


class Setup(NamedTuple):
    """What is trained.

    Attributes:
        plan: the recipe.
        tasks: makes the tasks anew.
        train: batches of an epoch.
        steps: how many.
    """

    plan: recipe.Recipe
    tasks: Callable[[], list]
    train: tf.data.Dataset
    steps: int

    def model(self, balancing: Any) -> visionmtl.MultiTaskModel:
        """Return a model of the tasks, compiled; the same weights in every call."""
        keras.utils.set_random_seed(0)
        model = visionmtl.MultiTaskModel(
            self.tasks(), self.plan.model.backbone, (*self.plan.data.image_size, 3), weights=self.plan.model.weights
        )
        rate = optimizer(self.plan, self.steps)
        model.compile(rate, balancing=balancing, clip_norm=self.plan.training.clip_norm)
        model.make_train_function()
        return model

    def batches(self) -> Iterator[Any]:
        """Yield the batches of a training of the recipe's epochs."""
        for _ in range(self.plan.training.epochs):
            yield from self.train


def setup(name: str, size: tuple[int, int], epochs: int, images: int, path: str) -> Setup:
    """Return "camvid" or "garments" with their three tasks, or "eight": is it a shirt, is it a bag, and so on."""
    given = [f"data.image_size=[{size[0]}, {size[1]}]", f"training.epochs={epochs}"]
    if name == "camvid":
        plan = recipe.load("camvid", [*given, f"data.path={path}"])
    else:
        given += [f"data.options={{train: {images}, validation: 10, test: 10}}"]
        plan = recipe.load("garments", [*given, *(["tasks={classification: {}}"] if name == "eight" else [])])
    data = building.data(plan, ["train"])
    train, steps = data.splits["train"], int(data.splits["train"].cardinality())
    if name != "eight":
        options = plan.tasks or {}
        return Setup(plan, lambda: [tasks.from_spec(spec, **options[spec.name]) for spec in data.specs], train, steps)
    classes = data.specs[0].classes[:BINARY]
    names = ["is_" + "".join(letter if letter.isalnum() else "_" for letter in each.lower()) for each in classes]

    def binary(images: Any, labels: Any, weights: Any) -> tuple:
        own = {each: tf.cast(labels["classification"] == place, tf.int32) for place, each in enumerate(names)}
        return images, own, dict.fromkeys(names, weights["classification"])

    return Setup(plan, lambda: [visionmtl.Classification(each, 2) for each in names], train.map(binary), steps)


def last_level(model: visionmtl.MultiTaskModel) -> str:
    """Return the last level that all tasks share."""
    outputs = model.task_outputs()
    for level in sorted(model.levels(), reverse=True):
        try:
            parting.level(model, outputs, model.levels(), level)
        except visionmtl.UsageError:
            continue
        return level
    raise SystemExit("The tasks of this model share no level.")


def looker(model: visionmtl.MultiTaskModel) -> Callable[[Any], dict[str, tf.Tensor]]:
    """Return a function that looks at a batch as each scope would, in one forward pass, and leaves no trace.

    It returns `parameters` and `level`, float32 `[K, K]`, by all that several tasks train and by the stage of the last
    level; `parameters_product` and `level_product` `[K, K]`, of two halves of the batch; `features` `[K, K]`; and
    `losses` and `present` `[K]`.
    """
    outputs = model.task_outputs()
    cut = CutModel(model, parting.parting(model, outputs))
    stage = {id(v) for v in parting.level(model, outputs, model.levels(), last_level(model)).variables}
    variables, count = model.trainable_variables, len(outputs)

    @tf.function(autograph=False, reduce_retracing=True)
    def look(data: Any) -> dict[str, tf.Tensor]:
        images, labels, weights = model.admit(data)
        with untouched(model.non_trainable_variables):
            with tf.GradientTape(persistent=True) as tape:
                ran = cut(images, tape=tape, training=True)
                losses = model.task_losses(labels, ran.outputs, weights, 2)
            seen = task_gradients.of(tape, losses.local, [*ran.leaves, *variables])
            leaves, held = seen[: len(ran.leaves)], seen[len(ran.leaves) :]
            done: list = []
            for row in range(2 * count):  # on through the trunk, one after the other
                pairs = [(f, by[row]) for f, by in zip(ran.features, leaves, strict=True) if row in by]
                with tf.control_dependencies(done[-1:]):
                    found = tape.gradient([f for f, _ in pairs], variables, [seed for _, seed in pairs])
                done.append(tf.group(*(one for one in found if one is not None)))
                for by_row, one in zip(held, found, strict=True):
                    if one is not None:
                        by_row[row] = one if row not in by_row else by_row[row] + one
        shared = [by for by in held if len({row % count for row in by}) > 1]
        level = [by for by, variable in zip(held, variables, strict=True) if id(variable) in stage]
        result = {"losses": losses.means, "present": losses.present}
        for name, of in (("parameters", shared), ("level", level)):
            whole = task_gradients.gramian(of, 2 * count)
            result[name], result[f"{name}_product"] = task_gradients.across(whole, losses.sub_counts)
        return result | {"features": task_gradients.gramian(task_gradients.joined(leaves, count), count)}

    return look


def record(of: Setup, driver: Any, steps: int | None = None) -> dict[str, np.ndarray]:
    """Train by a balancer and return what `looker` saw before each step, `[steps, ...]`."""
    model = of.model(driver)
    look, seen = looker(model), []
    for number, batch in enumerate(of.batches()):
        if number == steps:
            break
        seen.append({key: value.numpy() for key, value in look(batch).items()})
        model.train_function(iter([batch]))
    return {key: np.stack([one[key] for one in seen]) for key in seen[0]}
