"""What a recipe stands for: its data sets, its model with optimizer and balancer, and the devices they live on."""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras

import pipelines
from pipelines.splits import SPLITS
from visionmtl import backbones, balancing, sharing, tasks
from visionmtl.callbacks import tracker
from visionmtl.errors import UsageError
from visionmtl.model import MultiTaskModel
from visionmtl.recipe import Recipe
from visionmtl.sharing.base import low_rank
from visionmtl.tasks import fitting, rarity
from visionmtl.training import optimizers, runs
from visionmtl.training.optimizers import optimizer, rates

DECAYED = ("kernel", *low_rank.NAMES)  # of variables, how their names end
COUNTED = 200  # training samples whose labels say how rare classes are

Amounts = Callable[[Sequence[str], int], Mapping[str, Any]]  # float `[C]` by task


def check_names(recipe: Recipe) -> None:
    """Look up the names and files of a recipe's model, so that a mistyped one is told before any data is read.

    Raises:
        UsageError: a name or an option of it is unknown, weights are not there, or a service to log to is not
            installed.
    """
    backbones.check(recipe.model.backbone, recipe.model.weights)
    for start in recipe.model.starts:
        runs.model_file(start)
    sharing.get({"name": recipe.model.sharing.name, **recipe.model.sharing.options})
    balancing.get({"method": recipe.balancing.method, **recipe.balancing.options})
    tracker.check(recipe.training.log)


def data(
    recipe: Recipe,
    splits: Iterable[str] = SPLITS,
    model: MultiTaskModel | None = None,
    replicas: int = 1,
    worker: tuple[int, int] = (0, 1),
    served: bool = False,
) -> pipelines.Datasets:
    """Return the data sets of a recipe.

    Args:
        recipe: what to read.
        splits: which splits.
        model: a trained model whose classes the labels must be mapped to, by name.
        replicas: how many devices share a batch, of all workers.
        worker: which of several workers reads, as `pipelines.load` takes it.
        served: whether the data workers of `data.service` make the batches, where there are some.

    Raises:
        UsageError, pipelines.DataError: the data cannot be read, or is not what the recipe says.
    """
    data = recipe.data
    if data.batch_size % replicas:
        of = "" if worker[1] == 1 else f" of {worker[1]} workers"
        raise UsageError(f"data.batch_size is {data.batch_size}, expected a multiple of the {replicas} devices{of}.")
    specs = None
    if model is not None:
        if data.image_size != model.image_size:
            raise UsageError(
                f"data.image_size is {list(data.image_size)}, but the model's is {list(model.image_size)}."
            )
        specs = tuple(pipelines.LabelSpec(task.name, task.kind, task.classes) for task in model.tasks.values())
    mixing: dict[str, Any] = {}
    if data.mixed:
        sampling = data.sampling.model_dump()
        mixing["sampling"] = sampling | {"epochs": data.sampling.epochs or recipe.training.epochs}
        mixing["epoch"] = recipe.training.steps or data.epoch
    return pipelines.load(
        data.source or {name: member.model_dump() for name, member in data.sources.items()},
        data.image_size,
        data.batch_size,
        path=data.path,
        splits=tuple(splits),
        tasks=None if recipe.tasks is None else list(recipe.tasks),
        specs=specs,
        augmentation=None if data.augmentation is None else data.augmentation.model_dump(),
        resize=data.resize,
        max_boxes=data.max_boxes,
        cache=data.cache_folder or data.cache,
        fast_decode=data.fast_decode,
        seed=recipe.training.seed,
        on_error=data.on_error,
        replicas=replicas,
        worker=worker,
        joined=data.joined,
        service=data.service if served else None,
        **mixing,
        **data.options,
    )


def model(
    recipe: Recipe,
    specs: Sequence[pipelines.LabelSpec],
    steps: int,
    weights: bool = True,
    amounts: Amounts | None = None,
) -> MultiTaskModel:
    """Return the recipe's model, compiled. Call it inside the strategy's scope.

    Args:
        recipe: what to build.
        specs: the labels to learn, one a task.
        steps: training steps in an epoch, for the schedule.
        weights: whether to load `model.weights`; not needed where a checkpoint is loaded next.
        amounts: counts classes in the training data, as `Datasets.amounts` does, for options given as a power of how
            rare they are; None leaves such options out, for a model that is not to be trained.

    Raises:
        UsageError: a name or an option is unknown.
    """
    options = recipe.tasks or {}
    common = {"dropout": recipe.model.dropout, "label_smoothing": recipe.training.label_smoothing}

    def task(spec: pipelines.LabelSpec) -> tasks.Task:
        known = {key: value for key, value in common.items() if key in tasks.options(spec.kind)}
        given = options.get(spec.name, {})
        powers = rarity.asked(given, tasks.of_classes(spec.kind))
        return tasks.from_spec(spec, **known | given | _by_rarity(spec, powers, amounts))

    made = [task(spec) for spec in specs]
    changing = [each.name for each in made if not each.static]
    if recipe.training.jit and changing:
        raise UsageError(
            f"training.jit compiles a step whose shapes are all known, and those in the loss of {', '.join(changing)}"
            " are not: XLA would compile nearly every step anew. Leave it out, or train other tasks."
        )
    with _precision(recipe.training.precision):
        model = MultiTaskModel(
            made,
            backbone=recipe.model.backbone,
            image_shape=(*recipe.data.image_size, 3),
            sharing={"name": recipe.model.sharing.name, **recipe.model.sharing.options},
            weights=recipe.model.weights if weights else None,
            neck=recipe.model.neck,
            frozen=recipe.training.freeze,
            resize=recipe.data.resize,
            recipe={"name": recipe.name, "text": recipe.dump()},
        )
        model.compile(
            optimizer(recipe, steps),
            balancing={"method": recipe.balancing.method, **recipe.balancing.options},
            clip_norm=recipe.training.clip_norm,
            rates=rates(recipe, model),
            sizes=recipe.training.sizes,
            freeze_statistics=recipe.training.freeze_statistics,
            synchronise_statistics=recipe.training.synchronise_statistics,
            remat=recipe.training.remat,
            jit_compile=recipe.training.jit,
        )
    model.sizes.check(model)
    inner: Any = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    inner.exclude_from_weight_decay([v for v in model.trainable_variables if not v.name.endswith(DECAYED)])
    return model


def told(recipe: Recipe, model: MultiTaskModel, steps: int) -> list[str]:
    """Return in sentences what a recipe does not show: what learns, what is averaged, and what predictions ask.

    Args:
        recipe: what is trained.
        model: as it was built of it.
        steps: of an epoch.
    """
    return [
        *_frozen(model),
        *optimizers.told(recipe, steps),
        *fitting.told(model.tasks),
        *rarity.told(recipe.tasks, model.tasks),
    ]


def _frozen(model: MultiTaskModel) -> list[str]:
    """Return a sentence on how much of a model learns, where parts of it are frozen; else none."""
    parts = model.get_config()["frozen"]
    if not parts:
        return []
    learning = sum(math.prod(each.shape) for layer in model.layers for each in layer.trainable_variables)
    return [f"Frozen: {', '.join(parts)}. Of {model.count_params():,} parameters {learning:,} learn."]


def _by_rarity(
    spec: pipelines.LabelSpec, powers: Mapping[str, float], amounts: Amounts | None
) -> dict[str, dict[str, float] | None]:
    """Return what options that are given as a power of how rare classes are stand for."""
    if not powers or amounts is None:
        return dict.fromkeys(powers)
    found = amounts([spec.name], COUNTED)[spec.name]
    return {key: rarity.numbers(spec.name, key, power, spec.classes, found) for key, power in powers.items()}


@contextlib.contextmanager
def _precision(name: str) -> Iterator[None]:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
