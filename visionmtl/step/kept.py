"""KeptModel: a Keras model that goes on where it was: its file says how it was compiled and where its optimizer was."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras

from visionmtl.errors import UsageError
from visionmtl.step import optimizing, stateless
from visionmtl.step.conflicts import Conflicts
from visionmtl.step.distributed import DistributedModel
from visionmtl.step.finite import Guard
from visionmtl.step.position import Position
from visionmtl.step.tracking import Losses


class KeptModel(DistributedModel):
    """What of `BalancedModel` is about going on: the arguments of `compile`, and all that a training moves.

    Attributes:
        compiled_with: the arguments of `compile`, without the optimizer.
        position: where its training is.
    """

    compiled_with: dict[str, Any]
    position: Position
    conflicts: Conflicts
    guard: Guard
    running: Losses
    pace: Any  # who counts the steps, and asks the optimizer again once weights were loaded

    def load_weights(self, *args: Any, **kwargs: Any) -> None:
        """Load weights as Keras does, and the optimizer's state where the file has it: training goes on from there."""
        if self.compiled:
            self.build_optimizer()
            self.pace.ask()
        super().load_weights(*args, **kwargs)
        if self.compiled:
            stateless.expect_restart(self)

    def save_without_state(self, *args: Any, **kwargs: Any) -> None:
        """Save as Keras does, without what the optimizer keeps; see `stateless.without_state`."""
        with stateless.without_state(self):
            self.save(*args, **kwargs)

    def training_state(self) -> dict[str, list[Any]]:
        """Return every variable that a training moves, by what it is of: given back, a training goes on as it would.

        Its `position` is no variable; see `pass_over`.
        """
        self.build_optimizer()
        measured = [*self.metrics_variables, *self.running.others.variables]
        groups: dict[str, Iterable[Any]] = {
            "metrics": measured,
            "conflicts": self.conflicts.variables,
            "guard": self.guard.variables,
            "weights": self.variables,
            "optimizer": self.optimizer.variables,
        }
        state, known = {}, set[int]()
        for name, variables in groups.items():
            state[name] = [variable for variable in variables if id(variable) not in known]
            known |= {id(variable) for variable in state[name]}
        return state

    def pass_over(self, steps: int, logs: Mapping[str, Any] | None = None) -> None:
        """Have the next `fit` go on in the middle of its first epoch: its first steps are taken as made.

        They take no batch, move nothing and are called by their numbers; give a data set whose next pass begins behind
        them, as after `Datasets.seek(epoch, steps)`, and the variables of `training_state` as they were then, those
        of metrics in `on_epoch_begin`, before which Keras resets them. With steps_per_execution the steps of an epoch
        must be a multiple of it where a data set is one of `pipelines`: a shorter last execution reads beyond its end.

        Args:
            steps: how many.
            logs: those of the last of them.

        Raises:
            UsageError: some of the steps that are run at once would be passed over, and others not.
        """
        if steps % self.steps_per_execution:
            at_once = self.steps_per_execution
            raise UsageError(f"{steps} steps cannot be passed over with steps_per_execution={at_once}: it must divide.")
        self.position.pass_over(steps, logs or {})

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
