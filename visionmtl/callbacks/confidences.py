"""The confidences of a model's classes, chosen whenever it was validated."""

from collections.abc import Sequence
from typing import Any, Self

from visionmtl.callbacks.callback import Callback, Logs, Session


class Confidences(Callback):
    """Has a `MultiTaskModel` choose its confidences by each validation, so that what is saved then has them."""

    priority = 45

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls()]

    def keep(self) -> Any:
        return self.model.confidences

    def go_on(self, kept: Any) -> None:
        self.model.confidences = kept

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if any(name.startswith("val_") for name in logs or {}):
            self.model.choose_confidences()
