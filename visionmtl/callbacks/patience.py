"""Training ends when a log has not risen for some validations."""

import math
from collections.abc import Sequence

import keras


class Patience(keras.callbacks.Callback):
    """Stops the training when a log has not risen for so many validations; epochs without the log do not count.

    Args:
        monitor: name of the log, higher is better.
        patience: validations to wait.
        values: those of earlier sessions of the same run.
    """

    def __init__(self, monitor: str, patience: int, values: Sequence[float] = ()):
        super().__init__()
        self.monitor, self.patience, self.values = monitor, patience, list(values)

    def on_epoch_end(self, epoch, logs=None):
        value = (logs or {}).get(self.monitor, math.nan)
        if not math.isnan(value):
            self.values.append(value)
            best = self.values.index(max(self.values))
            self.model.stop_training = len(self.values) - 1 - best >= self.patience
