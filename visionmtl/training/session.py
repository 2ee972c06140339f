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

import pipelines
from pipelines.splits import SPLITS, split_called
from visionmtl import callbacks, stopping, terminal
from visionmtl import recipe as recipes
from visionmtl.checkpoints.folder import Found
from visionmtl.errors import UsageError, one_of
from visionmtl.files import written_whole
from visionmtl.model import MultiTaskModel
from visionmtl.model.gallery import Gallery
from visionmtl.recipe import Recipe
from visionmtl.report import tables
from visionmtl.training import (
    agreeing,
    batches,
    building,
    circumstances,
    cluster,
    ends,
    lock,
    previewing,
    resuming,
    runs,
    space,
)
from visionmtl.training.devices import Together, strategy, together, workers
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
    with stopping.signals(stopping.Stop()) as stop, together(recipe, devices, also) as place:
        place.workers.chiefs(lambda: None if run is None else _refuse(Path(run)))
        return _train(recipe, place, lambda steps: _new_run(recipe, run, place, stop), also, stop, watching)


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
    run, named = Path(run), cluster.named()
    if named is None or named.number == 0:
        resuming.mend(run)
    recipe = runs.read_recipe(run)  # a folder that holds none is not locked
    stop = stopping.Stop()
    with stopping.signals(stop), together(recipe, devices, also, resumed=True) as place, contextlib.ExitStack() as held:
        workers = place.workers

        def locked() -> str:
            held.enter_context(lock.held(run, stop))
            if runs.is_finished(run):
                raise UsageError(f"The run '{run}' is finished: nothing is left to resume.")
            return runs.read_recipe(run).dump()

        recipe = recipes.parsed(workers.chiefs(locked), recipe.name, f"The recipe of '{run}'")

        def reopened(steps: int) -> Opened:
            found = workers.together(lambda: resuming.find(run, steps) if workers.is_chief else None)
            workers.chiefs(lambda: str(runs.reopen(run)))
            return contextlib.nullcontext((run, resuming.of_all(found, workers)))

        with ends.told(recipe, run, place.replicas):
            return _train(recipe, place, reopened, also, stop, watching)


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
    place, others = strategy(), workers(recipe.training.strategy)
    if others is not None:
        terminal.tell(f"TF_CONFIG names {len(others.addresses)} workers, over which this would be trained.")
    replicas = place.num_replicas_in_sync * (1 if others is None else len(others.addresses))
    datasets = building.data(recipe, SPLITS, replicas=replicas, served=True)
    batches.check(recipe, datasets, replicas)
    datasets.verify()
    with place.scope():
        model = building.model(recipe, datasets.specs, _steps(recipe, datasets), amounts=datasets.amounts)
    of = datasets.by_source
    names = [name for name in recipe.data.sources if of]  # of what is joined no image is of one source
    counts = [[split, size, *(of[split].get(name, 0) for name in names)] for split, size in datasets.sizes.items()]
    print(tables.printed(["split", "images", *names], counts), end="\n\n")
    rows = [[task.name, task.kind, len(task.classes), _abridged(task.classes)] for task in model.tasks.values()]
    print(tables.printed(["task", "kind", "count", "classes"], rows), end="\n\n")
    height, width = model.image_size
    size = f"{model.count_params():,} parameters, {height} x {width} pixels"
    epochs = f"{recipe.training.epochs} epochs of {_steps(recipe, datasets)} steps"
    terminal.tell(f"{recipe.model.backbone}, {size}, {epochs}.")
    terminal.tell(batches.told(recipe, replicas), *building.told(recipe, model, _steps(recipe, datasets)))
    tell_skipped(datasets)
    if pictures is not None:
        print(f"Training pictures: {previewing.preview(datasets, list(model.tasks.values()), pictures)}")


def _train(
    recipe: Recipe,
    place: Together,
    open_run: Callable[[int], Opened],
    also: str | None,
    stop: stopping.Stop,
    watching: Watching | None,
) -> dict[str, Any]:
    """Train, or go on training: once all else is known to be right, `open_run` gives the folder, and where to go on.

    It is told the steps of an epoch.
    """
    building.check_names(recipe)
    settings, workers = recipe.training, place.workers
    keras.utils.set_random_seed(settings.seed)
    measured = ["validation"] if also is None else list(dict.fromkeys(["validation", split_called(also, UsageError)]))
    terminal.tell(f"Reading {recipe.data.source or ', '.join(recipe.data.sources)} ...")
    splits, part = dict.fromkeys(["train", *measured]), (workers.number, workers.count)
    if told_of_service := batches.told_of_service(recipe):
        terminal.tell(told_of_service)
    datasets = workers.together(lambda: building.data(recipe, splits, None, place.replicas, part, served=True))
    agreeing.check_data(datasets, workers)
    batches.check(recipe, datasets, place.replicas)
    steps = _steps(recipe, datasets)
    stop.check()  # what was read may have swallowed an interrupt
    terminal.tell(f"Building a model on {recipe.model.backbone} ...")
    sources = [runs.load_model(start)[0] for start in recipe.model.starts]
    with place.strategy.scope():
        model = building.model(recipe, datasets.specs, steps, amounts=datasets.amounts)
    model.gallery = Gallery(model.tasks)  # before the first evaluation: what is measured in the end is traced once
    check_monitor(model, settings.monitor)
    told = tell_skipped(datasets)

    with open_run(steps) as (run, found):
        terminal.tell(f"Training {', '.join(model.tasks)} on {place} into {run}", batches.told(recipe, place.replicas))
        terminal.tell(*building.told(recipe, model, steps))
        workers.chiefs(lambda: circumstances.keep(run, str(place)))
        workers.chiefs(lambda: circumstances.keep_data(run, datasets, list(model.tasks.values())))
        model.build_optimizer()
        variables = [*model.variables, *model.optimizer.variables]
        batch = space.batch(recipe.data.batch_size, *recipe.data.image_size)
        workers.chiefs(lambda: space.check(run, variables, ends.command(run), settings.checkpoint.keep, batch))
        if found is not None:
            resuming.give_back(found, model, recipe, steps)
        elif sources:
            _start(model, sources, recipe)
        history = [] if found is None else workers.chiefs(lambda: resuming.history(found, run))
        session = callbacks.Session(recipe, run, datasets, history, model, stop, found, steps, workers=workers)
        if found is None or not found.about.get("finished"):
            _fit(session, place, watching)
        elif (
            workers.is_chief and not (run / "last.keras").is_file()
        ):  # it was damaged, and no epoch is to come that writes it
            model.confidences = found.kept.get("Confidences")
            with written_whole(run / "last.keras") as partial:
                model.save(partial)
        costs = workers.chiefs(lambda: _costs(session))
        results = finish(model, run, datasets, measured, costs, lambda data: place.dealt(data, recipe.data.batch_size))
    if len(datasets.skipped) > told:
        tell_skipped(datasets, told)
    return results


@contextlib.contextmanager
def _new_run(
    recipe: Recipe, folder: str | Path | None, place: Together, stop: stopping.Stop
) -> Iterator[tuple[Path, None]]:
    """Give the new run folder of a recipe, in which no other process trains meanwhile."""
    chiefs = place.workers.chiefs
    run = Path(chiefs(lambda: str(runs.numbered(recipe.name) if folder is None else folder)))
    with contextlib.ExitStack() as held, ends.told(recipe, run, place.replicas):
        chiefs(lambda: held.enter_context(lock.held(run, stop)))
        chiefs(lambda: str(runs.new(recipe, run)))
        yield run, None


def _fit(session: callbacks.Session, place: Together, watching: Watching | None) -> None:
    """Run a session's epochs, those of them that are ahead."""
    settings, train = session.recipe.training, session.datasets.splits["train"]
    further = () if watching is None else watching(session)
    paging = Paging.of_session(session) if session.workers.is_chief else ()
    seconds = math.ceil(len(session.model.trainable_variables) / TRACED)
    terminal.tell(f"Tracing the first step, which takes about {seconds} s ...")
    validation, batch = session.datasets.validation, session.recipe.data.batch_size
    try:
        session.model.fit(
            place.dealt(train if settings.steps is None else train.take(session.steps), batch),
            validation_data=None if validation is None else place.dealt(validation, batch),
            validation_freq=settings.validate_every,
            initial_epoch=0 if session.start is None else session.start.place.epoch,
            epochs=settings.epochs,
            shuffle=False,  # the data set does it
            verbose=0,  # Progress tells
            callbacks=callbacks.of_session(session, [*paging, *further]),
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


def _refuse(run: Path) -> None:
    """Refuse a folder in which no new run may be made."""
    lock.refuse_held(run)
    runs.refuse_taken(run)


def _start(model: MultiTaskModel, sources: Sequence[MultiTaskModel], recipe: Recipe) -> None:
    """Give a model the weights that its recipe starts from, and say which layers there were none for."""
    start = recipe.model.start
    if isinstance(start, dict):
        told = ", ".join(f"{task} from {run}" for task, run in start.items())
        taken, left = model.start_from(dict(zip(start, sources, strict=True)))
    else:
        told = f"from {start}"
        taken, left = model.start_from(sources[0])
    if not taken:
        raise UsageError(f"model.start is '{start}', which has no layer in common with this model.")
    new = f"; new: {_abridged(left)}" if left else ", all there are"
    terminal.tell(f"Started {told}: {len(taken)} layers{new}.")


def _steps(recipe: Recipe, datasets: pipelines.Datasets) -> int:
    """Return the training steps in an epoch."""
    return min(int(datasets.splits["train"].cardinality()), recipe.training.steps or sys.maxsize)


def check_monitor(model: MultiTaskModel, monitor: str) -> None:
    """Refuse a name that no validation will log, before the first epoch rather than after it."""
    logged = [f"val_{task}_{name}" for task, values in model.task_results().items() for name in values]
    one_of(monitor, ["val_score", *logged], "log for training.monitor:")


def _abridged(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
