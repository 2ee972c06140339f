"""The learning rate among the logs."""

from collections.abc import Sequence
from typing import Self

import keras

from visionmtl.callbacks.callback import Callback, Logs, Session


class LearningRate(Callback):
    """Add `learning_rate` to the logs, whatever schedule it follows; put it before the callbacks that read logs."""

    priority = 30

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls()]

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
