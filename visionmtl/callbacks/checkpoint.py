"""The model saved after each epoch, or whenever it is better."""

import math
from pathlib import Path

import keras

from visionmtl.files import written_whole


class Checkpoint(keras.callbacks.Callback):
    """Save the model after each epoch, or whenever a log improves; the file is always a whole one.

    Args:
        path: a `.keras` file.
        monitor: name of a log, higher is better; None saves every epoch. Epochs without it save nothing.
        best: value to beat from the start, of the run that is resumed.
    """

    def __init__(self, path: str | Path, monitor: str | None = None, best: float = -math.inf):
        super().__init__()
        self.path, self.monitor, self.best = Path(path), monitor, best

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor is not None:
            value = (logs or {}).get(self.monitor, math.nan)
            if not value > self.best:  # also where it is not a number
                return
            self.best = float(value)
        with written_whole(self.path) as partial:
            self.model.save(partial)
