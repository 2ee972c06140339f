"""Running means of task gradients over the steps, which methods put in the gradients' place."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from visionmtl.balancing.balancer import ForwardPass
from visionmtl.balancing.elementwise_balancer import ElementwiseBalancer
from visionmtl.balancing.task_gradients import TaskGradients


class Means:
    """A mean of each task's gradient of each variable that several tasks train, and how many steps there were.

    They begin at zero, lie among the balancer's states, and take K times the memory of what the tasks share.

    Args:
        balancer: whose they are, which knows its tasks.
        shared: the variables that several tasks train.
    """

    def __init__(self, balancer: ElementwiseBalancer, shared: Sequence[Any]):
        self.rows = balancer.add_states("mean", {id(variable): tuple(variable.shape) for variable in shared})
        self.steps = balancer.add_state("steps")

    def next_step(self) -> tf.Tensor:
        """Return the number of this step, from 1, before `smooth` counts it."""
        return tf.convert_to_tensor(self.steps) + 1

    def kept(self, held: TaskGradients, forward: ForwardPass) -> list[bool]:
        """Return of which variables there are means: those that more than one task trains."""
        pairs = zip(held, forward.variables, strict=True)
        return [id(variable) in self.rows and len(by_task) > 1 for by_task, variable in pairs]

    def smooth(self, held: TaskGradients, forward: ForwardPass, scales: tf.Tensor, old: Any) -> TaskGradients:
        """Return the means in the gradients' place, moved by a step; other gradients stay as they are.

        A gradient that is not finite, or of a task without labels, moves nothing.

        Args:
            held: the task gradients of a step.
            forward: its losses and variables.
            scales: what each task's gradient is multiplied by before, `[K]`.
            old: fraction of the old mean in the new one.
        """
        smoothed = []
        for by_task, variable, kept in zip(held, forward.variables, self.kept(held, forward), strict=True):
            if not kept:
                smoothed.append(by_task)
                continue
            mean, smooth = self.rows[id(variable)], {}
            rows = tf.unstack(tf.convert_to_tensor(mean))
            for task, gradient in by_task.items():
                new = tf.cast(gradient, tf.float32) * scales[task]
                new += old * (rows[task] - new)
                rows[task] = tf.where(tf.math.is_finite(new) & (forward.present[task] > 0), new, rows[task])
                smooth[task] = new * forward.unit
            mean.assign(tf.stack(rows))
            smoothed.append(smooth)
        self.steps.assign(self.next_step())
        return smoothed
