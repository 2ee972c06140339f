"""The step that is due, on the host: passed over, or run by the function that its plan was traced into."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from visionmtl.step import optimizing

# By whether the tasks' gradients are compared, and the size of the images.
Steps = Mapping[tuple[bool, Hashable], Callable[[Any], Mapping[str, Any]]]


def step(model: Any, steps: Steps) -> Callable[[Any], Mapping[str, Any]]:
    """Return the function from a data iterator to logs that Keras calls for a step, or for several at once.

    Args:
        model: a BalancedModel.
        steps: the functions that Keras made of its `train_step`; before each but the first is traced, `model.tracing`
            is called.
    """
    traced: set[tuple[bool, Hashable]] = set()

    def run(iterator: Any) -> Mapping[str, Any]:
        if model.position.passes(model.steps_per_execution):
            return model.position.logs
        if model.balancer.update_every > 1 and (optimizing.scales_loss(model.optimizer) or model.guard.news()):
            model.pace.ask()  # a step that was skipped counts for no comparison
        model.plans.compares = compares = model.pace.compares(lambda: optimizing.steps_behind(model.optimizer))
        kind = compares, model.sizes.due(model.position.epoch)
        if traced and kind not in traced:
            model.tracing(*kind)
        traced.add(kind)
        try:
            with model.faults.told_first(), model.sizes.taken(model):
                logs = steps[kind](iterator)
        except Exception:
            if model.distribute_strategy.num_replicas_in_sync > 1:  # its sums over replicas wait for each other yet
                model.train_function = None
            raise
        model.position.went(model.steps_per_execution, logs)
        model.faults.after_step()
        return logs

    return run
