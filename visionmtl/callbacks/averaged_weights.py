"""Averaged weights in the place of the last ones, while an epoch is measured and saved."""

from collections.abc import Sequence
from typing import Self

import keras

from visionmtl.callbacks.callback import Callback, Session


class AveragedWeights(Callback, keras.callbacks.SwapEMAWeights):
    """Swaps the optimizer's averaged weights in where an epoch ends, and out again where the next one begins."""

    priority = 10

    def __init__(self) -> None:
        super().__init__(swap_on_epoch=True)

    @classmethod
    def of_session(cls, session: Session) -> Sequence[Self]:
        return [cls()] if session.recipe.training.ema else []

    def keep(self) -> bool:
        return self._ema_weights_in_model

    def go_on(self, kept: bool) -> None:
        self._ema_weights_in_model = kept
