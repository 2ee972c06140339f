"""Training, evaluation and resuming of runs: from a recipe to a run folder and the figures in it."""

import contextlib
import itertools
import math
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

import pipelines
from pipelines.splits import SPLITS, split_called
from visionmtl import callbacks, stopping
from visionmtl.checkpoints.folder import Found
from visionmtl.errors import UsageError, one_of
from visionmtl.files import written_whole
from visionmtl.model import MultiTaskModel
from visionmtl.recipe import Recipe
from visionmtl.report import tables
from visionmtl.training import batches, building, circumstances, ends, lock, previewing, resuming, runs, space
from visionmtl.training.devices import strategy
from visionmtl.training.measuring import finish, tell_skipped
from visionmtl.training.paging import Paging

TRACED = 20  # variables whose part in a step is traced, optimised and run for the first time within a second
Opened = AbstractContextManager[tuple[Path, Found | None]]  # a run folder, and the checkpoint that it goes on from
Watching = Callable[[callbacks.Session], Sequence[callbacks.Callback]]  # makes what watches a session beside its own


def train(
    recipe: Recipe,
    run: str | Path | None = None,
    devices: Sequence[str] | None = None,
    also: str | None = None,
    watching: Watching | None = None,
) -> dict[str, Any]:
    """Train a recipe into a new run folder, and print what came of it.

    Args:
        recipe: from `recipe.load`.
        run: the folder to make; default `runs/<recipe>-<n>`.
        devices: see `devices.strategy`.
        also: a split to measure in the end, beside validation.
        watching: returns further callbacks of the session.

    Returns:
        What `metrics.json` holds: `{"validation": {task: {metric: value}}, "seconds": ..., "parameters": ...}`.

    Raises:
        UsageError, pipelines.DataError: the recipe or the data is wrong; told before the run folder is made.

    Example:
        >>> garments = visionmtl.recipe.load("garments", ["training.epochs=1"])
        >>> train(garments)["validation"]["segmentation"]["mIoU"]  # doctest: +SKIP
    """
    with stopping.signals(stopping.Stop()) as stop:
        if run is not None:
            lock.refuse_held(Path(run))
            runs.refuse_taken(run)
        return _train(recipe, devices, lambda steps: _new_run(recipe, run, devices, stop), also, stop, watching)


def resume(
    run: str | Path,
    devices: Sequence[str] | None = None,
    also: str | None = None,
    watching: Watching | None = None,
) -> dict[str, Any]:
    """Go on with a run that was interrupted, from its newest checkpoint to the end that its recipe names; see `train`.

    What comes of it is what would have come of the run without an interruption, bit for bit.

    Raises:
        UsageError: it is not a run folder, the run is finished, another process trains it, or there is nothing to go on
            from.
    """
    run = Path(run)
    resuming.mend(run)
    runs.read_recipe(run)  # a folder that holds none is not locked
    with stopping.signals(stopping.Stop()) as stop, lock.held(run, stop):
        recipe = runs.read_recipe(run)
        if runs.is_finished(run):
            raise UsageError(f"The run '{run}' is finished: nothing is left to resume.")

        def reopened(steps: int) -> Opened:
            found = resuming.find(run, steps)
            return contextlib.nullcontext((runs.reopen(run), found))

        with ends.told(recipe, run, strategy(devices).num_replicas_in_sync):
            return _train(recipe, devices, reopened, also, stop, watching)


def check(recipe: Recipe, pictures: str | Path | None = None) -> None:
    """Read the data and build the model of a recipe, and print what would be trained.

    Args:
        recipe: from `recipe.load`.
        pictures: a PNG to draw training pictures to, as they are learnt from; None for none.

    Raises:
        UsageError, pipelines.DataError: what would go wrong in training before its first step.
    """
    building.check_names(recipe)
    previewing.check_name(pictures)
    place = strategy()
    datasets = building.data(recipe, SPLITS, replicas=place.num_replicas_in_sync)
    batches.check(recipe, datasets, place.num_replicas_in_sync)
    datasets.verify()
    with place.scope():
        model = building.model(recipe, datasets.specs, _steps(recipe, datasets))
    of = datasets.by_source
    names = [name for name in recipe.data.sources if of]  # of what is joined no image is of one source
    counts = [[split, size, *(of[split].get(name, 0) for name in names)] for split, size in datasets.sizes.items()]
    print(tables.table(["split", "images", *names], counts), end="\n\n")
    rows = [[task.name, task.kind, len(task.classes), _abridged(task.classes)] for task in model.tasks.values()]
    print(tables.table(["task", "kind", "count", "classes"], rows), end="\n\n")
    height, width = model.image_size
    print(f"{recipe.model.backbone}, {model.count_params():,} parameters, {height} x {width} pixels,", end=" ")
    print(f"{recipe.training.epochs} epochs of {_steps(recipe, datasets)} steps.")
    print(batches.told(recipe, place.num_replicas_in_sync))
    tell_skipped(datasets)
    if pictures is not None:
        print(f"Training pictures: {previewing.preview(datasets, list(model.tasks.values()), pictures)}")


def _train(
    recipe: Recipe,
    devices: Sequence[str] | None,
    open_run: Callable[[int], Opened],
    also: str | None,
    stop: stopping.Stop,
    watching: Watching | None,
) -> dict[str, Any]:
    """Train, or go on training: once all else is known to be right, `open_run` gives the folder, and where to go on.

    It is told the steps of an epoch.
    """
    building.check_names(recipe)
    settings, place = recipe.training, strategy(devices)
    keras.utils.set_random_seed(settings.seed)
    measured = ["validation"] if also is None else list(dict.fromkeys(["validation", split_called(also, UsageError)]))
    print(f"Reading {recipe.data.source or ', '.join(recipe.data.sources)} ...", flush=True)
    datasets = building.data(recipe, dict.fromkeys(["train", *measured]), replicas=place.num_replicas_in_sync)
    batches.check(recipe, datasets, place.num_replicas_in_sync)
    steps = _steps(recipe, datasets)
    print(f"Building a model on {recipe.model.backbone} ...", flush=True)
    source = None if recipe.model.start is None else runs.load_model(recipe.model.start)[0]
    with place.scope():
        model = building.model(recipe, datasets.specs, steps)
    check_monitor(model, settings.monitor)
    told = tell_skipped(datasets)

    with open_run(steps) as (run, found):
        print(f"Training {', '.join(model.tasks)} on {_devices(place)} into {run}")
        print(batches.told(recipe, place.num_replicas_in_sync))
        circumstances.keep(run, _devices(place))
        model.build_optimizer()
        variables = [*model.variables, *model.optimizer.variables]
        batch = space.batch(recipe.data.batch_size, *recipe.data.image_size)
        space.check(run, variables, ends.command(run), settings.checkpoint.keep, batch)
        if found is not None:
            resuming.give_back(found, model, recipe, steps)
        elif source is not None:
            _start(model, source, recipe)
        history = [] if found is None else resuming.history(found, run)
        session = callbacks.Session(recipe, run, datasets, history, model, stop, found, steps)
        if found is None or not found.about.get("finished"):
            _fit(session, watching)
        elif not (run / "last.keras").is_file():  # it was damaged, and no epoch is to come that writes it
            model.confidences = found.kept.get("Confidences")
            with written_whole(run / "last.keras") as partial:
                model.save(partial)
        results = finish(model, run, datasets, measured, _costs(session))
    if len(datasets.skipped) > told:
        tell_skipped(datasets, told)
    return results


@contextlib.contextmanager
def _new_run(
    recipe: Recipe, folder: str | Path | None, devices: Sequence[str] | None, stop: stopping.Stop
) -> Iterator[tuple[Path, None]]:
    """Give the new run folder of a recipe, in which no other process trains meanwhile."""
    run = runs.numbered(recipe.name) if folder is None else Path(folder)
    with lock.held(run, stop), ends.told(recipe, run, strategy(devices).num_replicas_in_sync):
        yield runs.new(recipe, run), None


def _fit(session: callbacks.Session, watching: Watching | None) -> None:
    """Run a session's epochs, those of them that are ahead."""
    settings, train = session.recipe.training, session.datasets.splits["train"]
    further = () if watching is None else watching(session)
    seconds = math.ceil(len(session.model.trainable_variables) / TRACED)
    print(f"Tracing the first step, which takes about {seconds} s ...", flush=True)
    try:
        session.model.fit(
            train if settings.steps is None else train.take(session.steps),
            validation_data=session.datasets.validation,
            validation_freq=settings.validate_every,
            initial_epoch=0 if session.start is None else session.start.place.epoch,
            epochs=settings.epochs,
            shuffle=False,  # the data set does it
            verbose=0,  # Progress tells
            callbacks=callbacks.of_session(session, [*Paging.of_session(session), *further]),
        )
    finally:
        for watcher in session.watchers:
            watcher.close()


def _costs(session: callbacks.Session) -> dict[str, float | None]:
    """Return what a training took: `seconds`, `steps` of the optimizer, the median seconds of a step and of a save."""
    last, times = runs.read_history(session.run)[-1], callbacks.StepSeconds()
    if session.start is not None and "StepSeconds" in session.start.kept:
        times.go_on(session.start.kept["StepSeconds"])
    times = next((each for each in session.watchers if isinstance(each, callbacks.StepSeconds)), times)
    steps = int(last["epoch"]) * session.steps // session.recipe.training.accumulate
    saves = [each.seconds for each in session.watchers if isinstance(each, callbacks.Checkpoint)]
    save = statistics.median(itertools.chain(*saves)) if any(saves) else None
    return {"seconds": last["seconds"], "steps": steps, "step_seconds": times.median, "save_seconds": save}


def _start(model: MultiTaskModel, source: MultiTaskModel, recipe: Recipe) -> None:
    """Give a model the weights that its recipe starts from, and say which layers there were none for."""
    taken, left = model.start_from(source)
    if not taken:
        raise UsageError(f"model.start is '{recipe.model.start}', which has no layer in common with this model.")
    print(f"Started from {recipe.model.start}: {len(taken)} layers", end="")
    print(f"; new: {_abridged(left)}." if left else ", all there are.")


def _steps(recipe: Recipe, datasets: pipelines.Datasets) -> int:
    """Return the training steps in an epoch."""
    return min(int(datasets.splits["train"].cardinality()), recipe.training.steps or sys.maxsize)


def check_monitor(model: MultiTaskModel, monitor: str) -> None:
    """Refuse a name that no validation will log, before the first epoch rather than after it."""
    logged = [f"val_{task}_{name}" for task, values in model.task_results().items() for name in values]
    one_of(monitor, ["val_score", *logged], "log for training.monitor:")


def _devices(place: tf.distribute.Strategy) -> str:
    if place.num_replicas_in_sync > 1:
        return f"{place.num_replicas_in_sync} devices"
    return "1 GPU" if tf.config.list_physical_devices("GPU") else "the CPU"


def _abridged(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
