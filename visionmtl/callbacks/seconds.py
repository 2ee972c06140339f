"""The seconds since training began, among the logs."""

import time

import keras


class Seconds(keras.callbacks.Callback):
    """Adds `seconds` to the logs of an epoch: the time since training began, that of earlier sessions included.

    Args:
        before: seconds of earlier sessions of the same run.
    """

    def __init__(self, before: float = 0.0):
        super().__init__()
        self.began = time.perf_counter() - before

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["seconds"] = time.perf_counter() - self.began
