"""KeptModel: a Keras model whose file says how it was compiled, and holds where its optimizer was."""

from typing import Any

import keras

from visionmtl.step import optimizing


class KeptModel(keras.Model):
    """What of `BalancedModel` is about files: the arguments of `compile`, and the optimizer's state.

    Attributes:
        compiled_with: the arguments of `compile`, without the optimizer.
    """

    compiled_with: dict[str, Any]
    pace: Any  # who counts the steps, and asks the optimizer again once weights were loaded

    def load_weights(self, *args: Any, **kwargs: Any) -> None:
        """Load weights as Keras does, and the optimizer's state where the file has it: training goes on from there."""
        if self.compiled:
            self.build_optimizer()
            self.pace.ask()
        super().load_weights(*args, **kwargs)

    def build_optimizer(self) -> None:
        """Create what the optimizer keeps for the variables that are trained, unless it is there."""
        if not self.optimizer.built:
            with self.distribute_strategy.scope():
                self.optimizer.build(self.trainable_variables)

    @property
    def steps_behind(self) -> int:
        """How many steps were trained, those of an update that is not complete too."""
        return optimizing.steps_behind(self.optimizer)

    def get_compile_config(self) -> dict:
        if not self.compiled:
            return {}
        return keras.saving.serialize_keras_object({"optimizer": self.optimizer} | self.compiled_with)

    def compile_from_config(self, config: dict) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.build_optimizer()
