"""The size of the images that epochs are trained on, said where it changes."""

from collections.abc import Sequence
from typing import Self

from visionmtl import terminal
from visionmtl.callbacks.callback import Callback, Logs, Session


class ImageSize(Callback):
    """Prints from which epoch on images of another size are trained; see `training.sizes`."""

    priority = 3
    of_chief = True

    def __init__(self) -> None:
        super().__init__()
        self.said: tuple[int, int] | None = None

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls()] if session.recipe.training.sizes else []

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        size = self.model.sizes.due(epoch) or self.model.image_size
        if size != self.said:
            self.said = size
            terminal.tell(f"Epoch {epoch + 1}: training on images of {size[0]} x {size[1]} pixels from here on.")
