"""What a `BalancedModel` does as an epoch begins and ends."""

from collections.abc import Iterable
from typing import Any

import keras


class Epochs(keras.callbacks.Callback):
    """Tells the model's parts where epochs begin and end: the balancer, the counts, and who looks at the steps."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.position.begin(epoch)
        self.model.pace.ask()
        self.model.conflicts.reset()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.position.end()
        self.model.balancer.end_epoch()
        self.model.faults.tell()


def with_epochs(callbacks: Any) -> Any:
    """Return callbacks as `fit` takes them, with `Epochs` among them."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks.append(Epochs())
        return callbacks
    given = callbacks if isinstance(callbacks, Iterable) else [callbacks] if callbacks else []
    return [Epochs(), *given]
