"""What a `BalancedModel` does as an epoch begins and ends."""

from collections.abc import Callable, Iterable
from typing import Any

import keras

from visionmtl.errors import UsageError
from visionmtl.step import stateless
from visionmtl.step.finite import Guard
from visionmtl.step.given import NO_BATCH


class Skips(keras.callbacks.Callback):
    """Counts an epoch's steps that were not finite, and tells of them at its end."""

    def __init__(self, guard: Guard):
        super().__init__()
        self.guard = guard

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.guard.reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.guard.tell(epoch, logs)


class Begins(keras.callbacks.Callback):
    """Tells a model that an epoch begins, of how many; `keras.Model.fit` may be another's, which trains it."""

    def __init__(self, began: Callable[[int, int], None]):
        super().__init__()
        self.began = began

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began(epoch, self.params["epochs"])


class Epochs(keras.callbacks.Callback):
    """Tells the model's parts where epochs begin and end: the balancer, the counts, and who looks at the steps."""

    some = False  # whether there was a batch; a hook of batches would say so too, and have Keras wait for each

    def on_train_begin(self, logs: Any = None) -> None:
        stateless.tell_restart(self.model)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.position.begin(epoch)
        self.model.pace.ask()
        self.model.conflicts.reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.position.end()
        self.model.balancer.end_epoch()
        self.model.faults.tell()
        self.some = self.some or self.model.position.step > 0
        if not self.some:
            raise UsageError(NO_BATCH.format("learn"))


def with_epochs(callbacks: Any, guard: Guard, began: Callable[[int, int], None]) -> Any:
    """Return callbacks as `fit` takes them, with `Epochs`, `Begins` and `Skips` among them."""
    return among(Epochs(), among(Begins(began), among(Skips(guard), callbacks)))


def among(callback: keras.callbacks.Callback, callbacks: Any) -> Any:
    """Return callbacks as `fit` takes them, with one more."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks.append(callback)
        return callbacks
    given = callbacks if isinstance(callbacks, Iterable) else [callbacks] if callbacks else []
    return [callback, *given]
