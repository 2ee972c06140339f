"""A trained model measured on a split, drawn, and its figures kept with the run."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

import pipelines
from pipelines.splits import split_called
from visionmtl import metrics, report
from visionmtl.callbacks import sharing_watch
from visionmtl.drawing import samples
from visionmtl.errors import UsageError
from visionmtl.model.multi_task import MultiTaskModel
from visionmtl.report import charts, curves, heatmaps, tables
from visionmtl.training import building, devices, runs


def evaluate(run: str | Path, split: str = "validation", overrides: Sequence[str] = ()) -> dict[str, dict[str, float]]:
    """Measure a run's best model on a split, print the figures and keep them beside the run's.

    Args:
        run: a run folder.
        split: "train", "validation" or "test".
        overrides: changes to the data, such as `data.path=DIR`.

    Returns:
        `{task: {metric: value}}`.

    Raises:
        UsageError, pipelines.DataError: the run, the split or the data is not there.
    """
    split = split_called(split, UsageError)
    for text in overrides:
        if not text.startswith("data."):
            raise UsageError(f"'{text}' changes more than the data: evaluate takes data.<key>=value only.")
    run = Path(run)
    recipe = runs.read_recipe(run, overrides)
    place = devices.strategy()
    with place.scope():
        model, _ = runs.load_model(run)
    datasets = building.data(recipe, [split], model, place.num_replicas_in_sync)
    results = _measure(model, datasets.splits[split])
    kept = runs.keep_metrics(run, {split: results})
    report.write(run)
    print(tables.table(*tables.results({split: kept[split]})))
    return results


def finish(
    model: MultiTaskModel, run: Path, datasets: pipelines.Datasets, splits: Sequence[str], seconds: float
) -> dict[str, Any]:
    """Measure the best model on `splits` and draw it, write the run's figures and print them."""
    if not (run / "best.keras").is_file():  # no epoch was measured: the last model is the best one known
        shutil.copy(run / "last.keras", run / "best.keras")
    model.load_weights(run / "best.keras")
    measured = {split: _measure(model, datasets.splits[split]) for split in splits if split in datasets.splits}
    _plot(model, run, next(reversed(measured.values()), {}))
    samples.save_samples(model, run / "samples", datasets.splits.get("validation", datasets.splits["train"]))
    kept = runs.keep_metrics(run, measured | {"seconds": seconds, "parameters": model.count_params()})
    page = report.write(run)
    print(f"\n{tables.table(*tables.results(kept))}\n")
    print(f"Trained in {tables.duration(seconds)}, {model.count_params():,} parameters.")
    print(f"Best model {run / 'best.keras'}, pictures {run / 'samples'}, report {page}")
    return kept


def _measure(model: MultiTaskModel, dataset: tf.data.Dataset) -> dict[str, dict[str, float]]:
    """Return each task's metrics on a data set, with those of every class."""
    model.evaluate(dataset, verbose=0)
    return model.task_results(details=True)


def _plot(model: MultiTaskModel, run: Path, details: Mapping[str, Mapping[str, float]]) -> None:
    """Draw the run's curves, and of the last measurement the classes, confusions and precisions."""
    folder = run / "plots"
    curves.save(curves.read(run / "history.csv"), folder, details)
    if (run / "gradients.csv").is_file():
        watched = curves.balancing(curves.read(run / "gradients.csv"))
        if watched is not None:
            curves.write(watched, folder / "balancing.png")
    if (run / "sharing.csv").is_file():
        learnt = heatmaps.sharing(sharing_watch.read(run / "sharing.csv"))
        if learnt is not None:
            curves.write(learnt, folder / "sharing.png")
    for task, measured in model.task_metrics.items() if details else ():
        classes = model.tasks[task].classes
        for metric in measured:
            if isinstance(metric, metrics.CocoAveragePrecision):
                precision = metric.precision()[0]
                figure = charts.precision_recall(precision, classes, f"{task}: precision and recall at IoU 0.5")
                curves.write(figure, folder / f"{task}_precision_recall.png")
            elif isinstance(metric, metrics.Accuracy | metrics.MeanIoU):
                figure = charts.confusion(metric.confusion, classes, f"{task}: confusion")
                curves.write(figure, folder / f"{task}_confusion.png")
