"""What an epoch took of several sources, among the logs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from visionmtl.callbacks.callback import Callback, Logs, Session


class Shares(Callback):
    """Add what an epoch took of several sources to its logs, and tell the sources of its losses; put it before those
    that read logs.

    The logs are `share/<source>`, and `labelled/<task>`, the fraction of the epoch's samples labelled for a task.

    Args:
        datasets: has `report` and `observe`, as `pipelines.Datasets`.
        history: rows of the epochs before, of a training that is resumed.
    """

    priority = 40

    def __init__(self, datasets: Any, history: Iterable[Mapping[str, float]] = ()):
        super().__init__()
        self.datasets = datasets
        for epoch, row in enumerate(history):
            datasets.observe(epoch, _task_losses(row))

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls(session.datasets, session.history)]

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            self.datasets.observe(epoch, _task_losses(logs))
            logs.update(self.datasets.report(epoch))


def _task_losses(logs: Mapping[str, float]) -> dict[str, float]:
    """Return the training losses among logs by task."""
    names = [name for name in logs if name.endswith("_loss") and not name.startswith("val_")]
    return {name.removesuffix("_loss"): logs[name] for name in names}
