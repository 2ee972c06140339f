"""A trained model measured on a split, drawn, and its figures kept with the run."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

import pipelines
from pipelines.splits import split_called
from visionmtl import report, terminal
from visionmtl.drawing import samples
from visionmtl.errors import UsageError
from visionmtl.files import copy
from visionmtl.model import MultiTaskModel
from visionmtl.model.gallery import Gallery
from visionmtl.model.seeing import Looks
from visionmtl.report import measured as charts
from visionmtl.report import plots, tables, worst
from visionmtl.tasks.views import Views
from visionmtl.training import building, by_class, devices, runs
from visionmtl.training.confidences import keep_confidences, keep_of_views, tell_confidences
from visionmtl.workers import replicas_of


def evaluate(
    run: str | Path, split: str = "validation", overrides: Sequence[str] = (), tta: str | Views | None = None
) -> dict[str, dict[str, float]]:
    """Measure a run's best model on a split, print the figures, keep them beside the run's and draw its plots anew.

    Args:
        run: a run folder.
        split: "train", "validation" or "test".
        overrides: changes to the data, such as `data.path=DIR`.
        tta: further views of each picture, whose predictions are merged before they are measured, as
            "flip,0.75,1.25": mirrored, and at scales of the network's input in multiples of its stride; with "vote" or
            "fuse", boxes that lie on each other are averaged. Losses are of the pictures alone. The figures are kept
            under a name of their own, such as "test+tta=flip", and of validation the confidences of their best F1,
            which predict then takes.

    Returns:
        `{task: {metric: value}}`.

    Raises:
        UsageError, pipelines.DataError: the run, the split or the data is not there.
    """
    split = split_called(split, UsageError)
    for text in overrides:
        if not text.startswith("data."):
            raise UsageError(f"'{text}' changes more than the data: evaluate takes data.<key>=value only.")
    run, views = Path(run), None if tta is None else Views.parsed(tta)
    recipe = runs.read_recipe(run, overrides)
    place = devices.strategy()
    if sentence := devices.told("mirrored", "evaluate measures on this machine alone"):
        print(sentence)
    if recipe.data.service is not None:
        print("data.service is of trainings, and set aside: evaluate reads on this machine.")
    with place.scope():
        model, _ = runs.load_model(run)
        if views is not None:
            model.looks = Looks(model, views)
            print(model.looks.told())
    model.gallery = Gallery(model.tasks)
    datasets = building.data(recipe, [split], model, place.num_replicas_in_sync)
    results = _measure(model, datasets.splits[split])
    runs.keep_images(run, datasets.sizes)
    name = split if views is None else views.split(split)
    kept = runs.keep_metrics(run, {name: results})
    _draw(model, run, name, results, functools.partial(datasets.called, split))
    report.write(run)
    print(tables.printed(*tables.results({name: kept[name]}, further=True), named=2), end="\n\n")
    if of_classes := by_class.told(kept, name, str(run / "metrics.json")):
        print(of_classes, end="\n\n")
    if views is not None and split == "validation":
        model.choose_confidences()
        keep_of_views(run, views, model.confidences)
        tell_confidences(model)
    tell_skipped(datasets)
    return results


def finish(
    model: MultiTaskModel,
    run: Path,
    datasets: pipelines.Datasets,
    splits: Sequence[str],
    costs: Mapping[str, float | None],
    dealt: Callable[[tf.data.Dataset], Any] = lambda data: data,
) -> dict[str, Any]:
    """Measure the best model on `splits` and draw it, write the run's figures with its costs and print them.

    `dealt` returns a data set as several workers take it, each of which reads its part of it. These measure the model
    together, and the chief draws, writes and prints; all return its figures.
    """
    workers = model.workers
    workers.chiefs(lambda: _take_best(model, run))
    variables = model.variables
    if workers.several:
        values = workers.chiefs_arrays(lambda: [replicas_of(variable)[0].numpy() for variable in variables])
        for variable, value in zip(variables, values, strict=True):
            for part in replicas_of(variable):
                part.assign(value)
    measured = {}
    there = [each for each in splits if each in datasets.splits]
    if workers.is_chief:
        on = " and ".join(there) or "nothing"
        terminal.tell(f"Measuring the best model on {on}, and drawing what it sees ...")
    for split in there:
        measured[split] = _measure(model, dealt(datasets.splits[split]))
        if split == "validation":
            model.choose_confidences()
        called = functools.partial(datasets.called, split)
        workers.chiefs(functools.partial(_shown, model, run, split, measured[split], called))
    figures: dict[str, Any] = workers.chiefs(lambda: _written(model, run, datasets, measured, costs))
    return figures


def _take_best(model: MultiTaskModel, run: Path) -> None:
    """Give a model the weights of a run's best one."""
    if not any((run / name).is_file() for name in ("best.keras", "last.keras")):
        raise UsageError(f"No epoch of '{run}' ended with a model whose weights are all finite: there is none to keep.")
    if not (run / "best.keras").is_file():  # no epoch was measured: the last model is the best one known
        print(f"No model in {run} was measured to be the best: last.keras is taken for it.")
        copy(run / "last.keras", run / "best.keras")
    model.load_weights(run / "best.keras")


def _shown(
    model: MultiTaskModel, run: Path, split: str, results: Mapping[str, Mapping[str, float]], called: worst.Name
) -> None:
    """Keep the confidences of a model that was measured, and draw it, while it holds what it was measured by."""
    if split == "validation":
        keep_confidences(model, run)
    _draw(model, run, split, results, called)


def _written(
    model: MultiTaskModel,
    run: Path,
    datasets: pipelines.Datasets,
    measured: Mapping[str, dict[str, dict[str, float]]],
    costs: Mapping[str, float | None],
) -> dict[str, Any]:
    """Draw a model that was measured, write the run's figures and print them; return what its metrics.json holds."""
    plots.save_run(run)
    shown = "validation" if "validation" in datasets.splits else "train"
    samples.save_samples(model, run / "samples", datasets.splits[shown], split=shown)
    runs.keep_images(run, datasets.sizes)
    (run / "report.html").unlink(missing_ok=True)  # that of the training: a run with figures and a page is finished
    kept = runs.keep_metrics(run, {**measured, **costs, "parameters": model.count_params()})
    page = report.write(run)
    print(f"\n{tables.printed(*tables.results(kept), named=2)}\n")
    for split in measured:
        if of_classes := by_class.told(kept, split, str(run / "metrics.json")):
            print(f"{of_classes}\n")
    tell_confidences(model)
    print(*(f"{sentence}\n" for sentence in model.sharing.told(model)), sep="", end="")
    print(f"Trained in {tables.duration(kept['seconds'])}, {model.count_params():,} parameters.")
    print(f"Best model {run / 'best.keras'}", f"Pictures {run / 'samples'}", f"Report {page}", sep="\n")
    return kept


def tell_skipped(datasets: pipelines.Datasets, told: int = 0) -> int:
    """Print what of the data was not understood, and what was skipped after the first `told`; return how many are."""
    for account in datasets.accounts:
        if sentence := account.balance().sentence:
            print(sentence)
    if skipped := datasets.skipped[told:]:
        print(f"Skipped {len(skipped)}:")
        print("\n".join(f"  {line}" for line in skipped))
    return len(datasets.skipped)


def _measure(model: MultiTaskModel, dataset: Any) -> dict[str, dict[str, float]]:
    """Return each task's metrics on a data set, with those of every class; its gallery, if any, has the worst of it."""
    if model.gallery is None:
        model.evaluate(dataset, verbose=0)
    else:
        with model.gallery.collect() as gallery:
            model.evaluate(dataset, verbose=0)
        gallery.gather(model.workers)
    return model.task_results(details=True)


def _draw(
    model: MultiTaskModel, run: Path, split: str, results: Mapping[str, Mapping[str, float]], called: worst.Name
) -> None:
    """Draw what the model's metrics and gallery hold of a split that was just measured, and keep it for the page."""
    confidences = model.confidences or {}
    for task, values in results.items():
        for metric in model.task_metrics[task]:
            metric.least = confidences.get(task)
        plots.save_task(run, model.tasks[task], values, model.task_metrics[task], split)
    of = {task: model.tasks[task] for task in results}
    kept = {
        name: charts.Measured(task.kind, task.classes, task.charts(model.task_metrics[name]))
        for name, task in of.items()
    }
    charts.keep(run, split, kept)
    if model.gallery is not None:
        worst.keep(run, split, model.gallery, confidences, called)
