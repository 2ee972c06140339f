"""The training data, made ready for the epoch to come."""

from collections.abc import Sequence
from typing import Any, Self

from visionmtl.callbacks.callback import Callback, Logs, Session


class Seek(Callback):
    """Makes the next pass over the training data that of the epoch to come: a resumed training reads as one of a piece.

    Args:
        datasets: has `seek`, as `pipelines.Datasets`.
        start: an epoch and the steps of it that are behind, of a training that goes on in its middle.
    """

    priority = 0

    def __init__(self, datasets: Any, start: tuple[int, int] = (0, 0)):
        super().__init__()
        self.datasets, self.start = datasets, start

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.datasets, *([] if session.start is None else [session.start.place]))]

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        first, step = self.start
        self.datasets.seek(epoch, step if epoch == first else 0)
