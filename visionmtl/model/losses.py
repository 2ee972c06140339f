"""What each task loses on each sample of a batch, whatever its losses are divided by."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from visionmtl.step.task_losses import over_amounts
from visionmtl.tasks.amounts import ByAmount


def of_samples(task: Any, labels: Any, outputs: Mapping, weights: tf.Tensor | None) -> tf.Tensor:
    """Return a task's loss of each sample `[B]`.

    Args:
        task: a `tasks.Task`.
        labels: of the batch.
        outputs: its raw outputs.
        weights: of the samples `[B]`, 0 where one is not labelled; None where all are.
    """
    loss = task.loss(labels, outputs)
    return over_amounts(loss.sums, loss.amounts, weights) if isinstance(loss, ByAmount) else loss
