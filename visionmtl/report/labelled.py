"""Training pictures with their labels as `data inspect` draws them, kept in a run's `labels/` as training begins."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipelines.samples.showing import Example
from visionmtl import drawing
from visionmtl.drawing import sheets
from visionmtl.files import told, write_text
from visionmtl.report import pictures
from visionmtl.report.pictures import Picture
from visionmtl.tasks import Task

FOLDER, INDEX = "labels", "labels.json"


class Labelled(NamedTuple):
    """What a page shows of the data that was learnt from.

    Attributes:
        legends: the colours of classes, as "#e69f00", by task.
        pictures: with their labels.
    """

    legends: Mapping[str, Mapping[str, str]]
    pictures: Sequence[Picture]


def keep(run: Path, examples: Sequence[Example], tasks: Sequence[Task]) -> Path:
    """Draw samples into a run's `labels/`, and return the folder.

    Args:
        run: the run folder.
        examples: the samples.
        tasks: whose labels to draw.
    """
    folder, order = run / FOLDER, drawing.drawing_order(tasks)
    with told(folder):
        folder.mkdir(exist_ok=True)
    rows = [
        pictures.keep(
            folder / f"{number:02d}.jpg",
            _drawn(each, order),
            Path(each.name).name,
        )
        for number, each in enumerate(examples, 1)
    ]
    legends = {task.name: {name: colour for name, colour in task.legend.items() if colour} for task in order}
    write_text(folder / INDEX, json.dumps({"legends": legends, "pictures": rows}, indent=1) + "\n")
    return folder


def _drawn(example: Example, order: Sequence[Task]) -> np.ndarray:
    picture, words = sheets.labelled(example.image, order, example.labels, example.weights)
    return drawing.keyed(picture, {}, words)


def read(run: Path) -> Labelled:
    """Return what a run folder holds; what is missing or broken is left out."""
    found = pictures.index(run / FOLDER / INDEX)
    legends = {task: pictures.colours(of) for task, of in pictures.parts(dict(pictures.parts(found)).get("legends"))}
    rows = dict(pictures.parts(found, list)).get("pictures", [])
    return Labelled({task: of for task, of in legends.items() if of}, pictures.read(run / FOLDER, rows))
