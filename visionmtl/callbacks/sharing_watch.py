"""SharingWatch: what a sharing scheme has learnt of how the tasks share, written down while a model trains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import tensorflow as tf

from visionmtl import csvfile, drawing
from visionmtl.board import events, names
from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.sharing import Matrix

COLUMNS = ("epoch", "title", "row", "column", "value")
FEW = 36  # cells of a matrix, each of which is still worth a curve


class SharingWatch(Callback):
    """Write the matrices that a sharing scheme has learnt, to a CSV file and to TensorBoard, after each epoch.

    The file has a line for each cell: `epoch` (from 1), `title`, `row`, `column`, `value`; a value that is no number is
    empty. TensorBoard's run `sharing` has a picture `pictures/sharing/<title>` and, of a matrix of at most 36 cells,
    the scalars `sharing/<title>/<row>/<column>`, by the number of training steps behind. A scheme that learns nothing
    of that kind leaves no file.

    Args:
        path: the CSV file, such as `sharing.csv`; a training that starts at a later epoch keeps the rows before it.
        folder: where event files go; None for no TensorBoard.

    Example:
        >>> history = model.fit(dataset, callbacks=[SharingWatch("sharing.csv", "tensorboard")])
    """

    priority = 65
    of_chief = True

    def __init__(self, path: str | Path, folder: str | Path | None = None):
        super().__init__()
        self.path, self.folder = Path(path), folder
        self.rows = csvfile.Growing(self.path, COLUMNS)
        self.begun = False
        self.writer = None

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        if not session.model.learnt_sharing():
            return []
        return [cls(session.run / "sharing.csv", session.run / "tensorboard")]

    def on_train_begin(self, logs: Logs = None) -> None:
        self.begun = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if not self.begun:
            self.begun = True
            if self.folder is not None:
                self.writer = events.writer(Path(self.folder) / "sharing", events.steps_behind(self.model) + 1)
            self.rows.begin(csvfile.rows_before(self.path, "epoch", epoch + 1))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        matrices = self.model.learnt_sharing()
        for title, learnt in matrices.items():
            for row, values in zip(learnt.rows, learnt.values, strict=True):
                for column, value in zip(learnt.columns, values, strict=True):
                    text = f"{value:.6g}" if np.isfinite(value) else ""
                    self.rows.add(dict(zip(COLUMNS, (epoch + 1, title, row, column, text), strict=True)))
        if not matrices:
            return
        if self.writer is not None:
            step = events.steps_behind(self.model)
            with self.writer.as_default():
                for title, learnt in matrices.items():
                    _summarise(title, learnt, step)
            self.writer.flush()
        self.rows.write()

    def on_train_end(self, logs: Logs = None) -> None:
        if self.writer is not None:
            self.writer.close()


def read(path: str | Path) -> dict[int, dict[str, Matrix]]:
    """Return the matrices of a SharingWatch's file, `{epoch: {title: matrix}}`; NaN where a cell is empty."""
    cells: dict[int, dict[str, dict[tuple[str, str], float]]] = {}
    for line in csvfile.read(path):
        matrix = cells.setdefault(int(line["epoch"]), {}).setdefault(line["title"], {})
        matrix[line["row"], line["column"]] = float(line["value"] or "nan")
    return {epoch: {title: _matrix(each) for title, each in titles.items()} for epoch, titles in cells.items()}


def _matrix(cells: dict[tuple[str, str], float]) -> Matrix:
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    return Matrix(np.array([[cells.get((row, column), np.nan) for column in columns] for row in rows]), rows, columns)


def _summarise(title: str, learnt: Matrix, step: int) -> None:
    """Write a matrix to TensorBoard, as a picture and, if it is small, as a scalar a cell."""
    limit = float(np.max(np.abs(learnt.values), initial=0, where=np.isfinite(learnt.values))) or 1.0
    picture = drawing.matrix(learnt.values, learnt.rows, learnt.columns, limit)
    tf.summary.image(f"{names.PICTURES}/{names.SHARING}/{title}", picture[None], step=step)
    for (row, column), value in np.ndenumerate(learnt.values):
        if learnt.values.size <= FEW and np.isfinite(value):
            tf.summary.scalar(f"{names.SHARING}/{title}/{learnt.rows[row]}/{learnt.columns[column]}", value, step=step)
