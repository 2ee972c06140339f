"""A step's plan: whether it compares the gradients of the tasks, and where its forward pass is cut."""

import functools
from typing import Any, NamedTuple

import keras

from visionmtl.balancing.hyperparameters import is_level
from visionmtl.step import parting
from visionmtl.step.cut import CutModel


class StepPlan(NamedTuple):
    """How one training step goes.

    Attributes:
        look: where the tasks' gradients are compared: at the "parameters" (behind the cut, if there is one), at the
            "features", or None for nowhere.
        cut: the model cut where its tasks part; None where it runs whole.
        apart: whether the step goes back once a task, else once for all of them together.
        sub_batches: into how many sub-batches, whose gradients are compared, the batch is dealt out.
        among: the variables whose gradients are compared; None for all that several tasks train.
    """

    look: str | None
    cut: CutModel | None
    apart: bool
    sub_batches: int
    among: list | None = None


class Plans:
    """The plans of a model's steps: of those that compare the tasks' gradients, and of those between.

    Args:
        model: a functional model.
        balancer: a balancer, not yet prepared.
        outputs: of each task, the symbolic outputs its loss is made of.

    Attributes:
        compares: whether the step that is due compares the tasks' gradients; at first, whether the balancer wants it.

    Raises:
        UsageError: the balancer compares gradients at features that tasks share, and two tasks share none, or at a
            level that they do not all share.
    """

    def __init__(self, model: keras.Model, balancer: Any, outputs: dict[str, list]):
        self.model, self.balancer, self.outputs = model, balancer, outputs
        self.compares = balancer.scope is not None
        self.parting = parting.parting(model, outputs)
        if balancer.scope == "features":
            parting.check_common(self.parting, list(outputs))
        self.level = None
        if is_level(balancer.scope):
            self.level = parting.level(model, outputs, model.levels(), balancer.scope)

    def shared(self) -> list:
        """Return where the tasks' gradients are compared: variables, or with the scope "features" symbolic maps."""
        if self.level is not None:
            return self.level.variables
        if self.balancer.scope != "features":
            return self.shared_variables
        return self.parting.features if self.parting else []

    @functools.cached_property
    def shared_variables(self) -> list:
        """The variables that several tasks train."""
        return parting.variables(self.model, self.outputs)

    @functools.cached_property
    def comparing(self) -> StepPlan:
        """The plan of a step that compares the tasks' gradients, for the balancer or for who watches."""
        look, cut = self.balancer.scope, None
        if self.level is not None:
            cut = None if self.level.cut is None else CutModel(self.model, self.level.cut)
            return StepPlan("parameters", cut, True, self.balancer.sub_batches, self.level.variables)
        if look is None:  # it is only watched
            last = parting.last_layers(self.model, self.outputs)
            look, cut = "parameters", None if last is None else CutModel(self.model, last)
        elif look == "features":
            cut = self._cut
        return StepPlan(look, cut, apart=True, sub_batches=self.balancer.sub_batches)

    @functools.cached_property
    def between(self) -> StepPlan:
        """The plan of a step that compares nothing: a balancer of gradients takes the weights it has."""
        apart = self.balancer.apart
        return StepPlan(look=None, cut=self._cut if apart else None, apart=apart, sub_batches=1)

    @property
    def due(self) -> StepPlan:
        """The plan of the step that is due."""
        return self.comparing if self.compares else self.between

    @functools.cached_property
    def _cut(self) -> CutModel | None:
        return None if self.parting is None else CutModel(self.model, self.parting)
