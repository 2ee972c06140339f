"""The worst pictures of each task: truth beside prediction, kept in a run's `worst/<split>/`, and read for its page."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from visionmtl import drawing
from visionmtl.drawing.marking import marked
from visionmtl.drawing.samples import READABLE_SIDE
from visionmtl.files import told, write_text
from visionmtl.model.gallery import LOSS, SURE, Gallery, Shown
from visionmtl.report import pictures
from visionmtl.report.pictures import Picture
from visionmtl.tasks import Task

FOLDER, INDEX = "worst", "worst.json"
TITLES = {LOSS: "Largest losses", SURE: "Most confident mistakes"}
Name = Callable[[int], str]  # what a sample is called, by its place in the split


class Wall(NamedTuple):
    """The worst pictures of a task in one order.

    Attributes:
        task, split: of what, and where they were measured.
        title: in which order.
        legend: the colours of classes that bear no name in the pictures, as "#e69f00".
        pictures: the worst first.
    """

    task: str
    split: str
    title: str
    legend: Mapping[str, str]
    pictures: Sequence[Picture]


def keep(
    run: Path, split: str, gallery: Gallery, confidences: Mapping[str, Any], name: Name = lambda place: ""
) -> Path:
    """Draw what a gallery holds into a run's `worst/<split>/`, in place of what was there, and return the folder.

    Args:
        run: the run folder.
        split: on which it was collected.
        gallery: after an evaluation.
        confidences: by task, from which confidence on an object is drawn.
        name: says what a sample is called; "" where that is not known.
    """
    folder = run / FOLDER / split
    index: dict[str, Any] = {}
    with told(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    for task, of in gallery.shown.items():
        for order, shown in ((order, shown) for order, shown in of.items() if shown):
            rows = []
            for number, each in enumerate(shown, 1):
                path = folder / f"{task}-{order}-{number:02d}.jpg"
                tile = drawn(gallery.tasks[task], each, confidences.get(task))
                rows.append(pictures.keep(path, tile, _told(gallery.tasks[task], order, each, name(each.place))))
            legend = {name: colour for name, colour in gallery.tasks[task].legend.items() if colour}
            index.setdefault(task, {"legend": legend, "orders": {}})["orders"][order] = rows
    write_text(folder / INDEX, json.dumps(index, indent=1) + "\n")
    return folder


def drawn(task: Task, shown: Shown, least: Mapping[str, float] | None = None) -> np.ndarray:
    """Return truth beside prediction, uint8 `[h, w, 3]`.

    Args:
        task: whose they are.
        shown: one picture.
        least: by class, the confidence from which on an object is drawn; None for the drawing's own.
    """
    image, truth, prediction = shown.opened()
    prediction = marked(prediction, task.classes, least)
    factor = max(1, round(READABLE_SIDE / min(image.shape[:2])))
    large, truth = drawing.enlarge(image, truth, factor)
    prediction = drawing.enlarge(image, prediction, factor)[1]
    known, found = {task.name: truth}, {task.name: prediction}
    tiles = [drawing.overlay(large, [task], known, truth=True), drawing.overlay(large, [task], found)]
    notes = [drawing.words([task], known), drawing.words([task], found)]
    return drawing.side_by_side(tiles, [f"Truth: {task.name}", "Prediction"], notes=notes)


def read(run: Path) -> list[Wall]:
    """Return what a run folder holds, validation first; what is broken is left out."""
    walls = []
    paths = sorted((run / FOLDER).glob(f"*/{INDEX}"), key=lambda path: (path.parent.name != "validation", path))
    for path in paths:
        for task, of in pictures.parts(pictures.index(path)):
            colours = pictures.colours(of.get("legend"))
            for order, rows in pictures.parts(of.get("orders"), list):
                shown = pictures.read(path.parent, rows)
                walls.append(Wall(task, path.parent.name, TITLES.get(order, order), colours, shown))
    return walls


def _told(task: Task, order: str, shown: Shown, name: str) -> str:
    """Return what stands under a picture."""
    surest = [f"{shown.value:.2f} {task.mistaken}"] if order == SURE else []
    return ", ".join([*([Path(name).name] if name else []), *surest, f"loss {f'{shown.loss:#.3g}'.rstrip('.')}"])
