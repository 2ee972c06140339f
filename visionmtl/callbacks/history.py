"""What watches a training: history, checkpoints, TensorBoard and sample predictions."""

import csv
from pathlib import Path
from typing import Any

import keras

from visionmtl.callbacks.rows import rows_before
from visionmtl.files import written_whole


class History(keras.callbacks.Callback):
    """Write the logs of each epoch to a CSV file: `epoch` (from 1), then each log in the order of its first appearance.

    A log may appear late or now and then, as validation does: its other cells stay empty. A training that starts at
    a later epoch keeps the rows before it, so that a resumed run has one history.

    Args:
        path: the file, such as `history.csv`.
    """

    def __init__(self, path: str | Path):
        super().__init__()
        self.path = Path(path)
        self.rows: list[dict[str, Any]] = []
        self.begun = False

    def on_train_begin(self, logs=None):
        self.begun = False

    def on_epoch_begin(self, epoch, logs=None):
        if not self.begun:
            self.begun = True
            self.rows = rows_before(self.path, epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append({"epoch": epoch + 1} | {name: f"{float(value):.8g}" for name, value in (logs or {}).items()})
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        with written_whole(self.path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="")
            writer.writeheader()
            writer.writerows(self.rows)
