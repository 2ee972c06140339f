"""Training pictures on one sheet, with their labels, as a model learns from them: cropped, turned, joined, coloured."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import pipelines
from visionmtl import drawing
from visionmtl.drawing import sheets
from visionmtl.errors import UsageError
from visionmtl.files import write_picture
from visionmtl.tasks import Task

COLUMNS, MOST = 4, 20  # pictures in a row, and on the sheet


def check_name(out: str | Path | None) -> None:
    """Refuse a sheet that is no PNG.

    Raises:
        UsageError: it is none.
    """
    if out is not None and Path(out).suffix.lower() != ".png":
        raise UsageError(f"The training pictures were to be drawn to '{out}': name a file that ends in .png.")


def preview(datasets: pipelines.Datasets, tasks: Sequence[Task], out: str | Path) -> Path:
    """Draw the first pictures of the first epoch, as they are learnt from, and their labels; return the PNG.

    A task is drawn where the picture counts for it.

    Args:
        datasets: of a recipe.
        tasks: its tasks.
        out: the PNG.
    """
    order, tiles = drawing.drawing_order(tasks), list[tuple[np.ndarray, str, list[str]]]()
    assert datasets.train is not None
    for step, (images, labels, weights) in enumerate(datasets.train.take(-(-MOST // COLUMNS))):
        called = datasets.names(0, step) or [""] * len(images)
        truths = {task.name: task.truth(labels[task.name]) for task in order}
        for place, image in enumerate(images.numpy().astype(np.uint8)):
            known = {
                name: {key: np.asarray(value)[place] for key, value in truth.items()}
                for name, truth in truths.items()
                if weights[name][place] > 0
            }
            picture = drawing.overlay(image, order, known, truth=True)
            tiles.append((picture, Path(called[place]).name, drawing.words(order, known)))
        if len(tiles) >= MOST:
            break
    datasets.seek(0)
    tiles = tiles[:MOST]
    rows = sheets.rows(tiles, min(COLUMNS, len(tiles)))
    width = rows[0].shape[1]
    keys = [drawing.legend(task.legend, width, title=task.name) for task in order if task.legend]
    write_picture(Path(out), np.concatenate([*rows, *keys]))
    return Path(out)
