"""A task that has nothing left to learn is told, once: it no longer steers which epoch is the best."""

from collections.abc import Sequence
from typing import Any, Self

from visionmtl import balancing, terminal
from visionmtl.callbacks.callback import Callback, Logs, Session
from visionmtl.tasks import ceiling


class Saturated(Callback):
    """Print which tasks of a `MultiTaskModel` have reached the ceiling of their metric on validation, each once.

    Args:
        bounds: whether its balancer could be given a `largest_weight` that it was not.

    Attributes:
        known: the names of those that were told.
    """

    priority = 62
    of_chief = True

    def __init__(self, bounds: bool = False):
        super().__init__()
        self.bounds = bounds
        self.known: list[str] = []

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        given = session.recipe.balancing
        bounds = "largest_weight" in balancing.options(given.method) and given.options.get("largest_weight") is None
        return [cls(bounds)]

    def keep(self) -> list[str]:
        return self.known

    def go_on(self, kept: list[str]) -> None:
        self.known = kept

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        tasks, logs = getattr(self.model, "tasks", {}), logs or {}
        values = {name: logs.get(f"val_{name}_{task.primary}") for name, task in tasks.items()}
        weights = {name: logs.get(f"weight/{name}", 0.0) for name in tasks}
        for name, value in values.items():
            if value is None or not ceiling.is_reached(value) or name in self.known:
                continue
            self.known.append(name)
            terminal.tell(f"Epoch {epoch + 1}: {self._sentence(name, tasks[name].primary, value, weights)}")

    def _sentence(self, name: str, metric: str, value: float, weights: dict[str, Any]) -> str:
        told = (
            f"task '{name}' has reached its ceiling ({metric} {value:.3f}): val_score counts {ceiling.CEILING} of it,"
            " as long as it stays there, and the other tasks say which epoch is the best."
        )
        heaviest = len(weights) > 1 and weights[name] > max(w for other, w in weights.items() if other != name)
        if self.bounds and heaviest:
            told += f" It has the largest weight ({weights[name]:.2f}), which balancing.largest_weight bounds."
        return told
