"""The training data, made ready for the epoch to come."""

from collections.abc import Sequence
from typing import Any, Self

from visionmtl.callbacks.callback import Callback, Logs, Session


class Seek(Callback):
    """Makes the next pass over the training data that of the epoch to come: a resumed training reads as one of a piece.

    Args:
        datasets: has `seek`, as `pipelines.Datasets`.
    """

    priority = 0

    def __init__(self, datasets: Any):
        super().__init__()
        self.datasets = datasets

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.datasets)]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self.datasets.seek(epoch)
