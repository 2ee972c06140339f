"""What was found broken in an epoch, told at its end."""

from collections.abc import Sequence
from typing import Any, Self

from visionmtl import terminal
from visionmtl.callbacks.callback import Callback, Logs, Session


class Skipped(Callback):
    """Tell in one line, at the end of an epoch, how many samples turned out in it to be of no use.

    Args:
        datasets: has `skipped`, as `pipelines.Datasets`.
    """

    priority = 55

    def __init__(self, datasets: Any):
        super().__init__()
        self.datasets, self.told = datasets, len(datasets.skipped)

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.datasets)]

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        found = self.datasets.skipped[self.told :]
        self.told += len(found)
        if found:
            terminal.tell(
                f"Epoch {epoch + 1}: skipped {len(found)} more, which count for no task; the first: {found[0]}"
            )
