"""DistributedModel: a model that trains on several workers by Keras's own `fit`, which fails there (keras#20585)."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError
from visionmtl.step.given import NO_BATCH, check_images
from visionmtl.step.strict import StrictModel
from visionmtl.workers import ALONE, Workers, replicas_of


class DistributedModel(StrictModel):
    """What of `BalancedModel` is about several workers under `tf.distribute.MultiWorkerMirroredStrategy`.

    Built and compiled in the strategy's scope, it is trained and evaluated by every worker at once, and saved and asked
    for predictions by any one of them alone.
    """

    _distribute_strategy: Any
    predict_function: Any

    @property
    def workers(self) -> Workers:
        """The workers that train it; one where there are no others."""
        return _of(self._distribute_strategy)

    def build_optimizer(self) -> None:
        """Create what the optimizer keeps for the variables that are trained, unless it is there."""
        raise NotImplementedError

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Build what is not built; Keras reads a batch for it, of which each worker has another."""
        if self._distribute_strategy is not None:
            self.build_optimizer()

    def _make_function(self, step_function: Callable[[Any], Mapping[str, tf.Tensor]]) -> Callable[[Any], Any]:
        if not self.workers.several:
            return super()._make_function(step_function)
        packed = _Packed(step_function)
        function = super()._make_function(packed)
        return lambda iterator: packed.unpacked(function(iterator))

    def reset_metrics(self) -> None:
        """Forget what was measured; each worker what it counted itself, which needs no word to the others."""
        if not self.workers.several:
            return super().reset_metrics()
        for metric in self.metrics:
            forget(metric)

    def get_metrics_result(self) -> dict[str, Any]:
        """Return what the metrics are by now, of all workers together."""
        if not self.workers.several:
            return super().get_metrics_result()
        results: dict[str, Any] = {}
        for metric, held in zip(self.metrics, self.counted(self.metrics), strict=True):
            result = metric.stateless_result(held)
            results |= result if isinstance(result, dict) else {metric.name: result}
        return results

    def _get_metrics_result_or_logs(self, logs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the logs of an epoch: of what a metric counts, that of all replicas and not the mean of each one's.

        Keras takes that mean where there are further logs, and of a batch whose parts are uneven it is another.
        """
        strategy = self._distribute_strategy
        if strategy is None or strategy.num_replicas_in_sync < 2:
            return super()._get_metrics_result_or_logs(logs)
        known = self.get_metrics_result()
        return {name: known.get(name, value) for name, value in logs.items()}

    def counted(self, metrics: Sequence[keras.metrics.Metric]) -> list[list[tf.Tensor]]:
        """Return what the variables of metrics hold, of all replicas together, in one message between workers.

        TensorFlow would have each variable add itself up, for a graph of its own each time that it is read.
        """
        if not self.workers.several:
            return [[tf.convert_to_tensor(variable) for variable in metric.variables] for metric in metrics]
        variables = [variable for metric in metrics for variable in metric.variables]
        parts = [[part.numpy() for part in replicas_of(variable)] for variable in variables]
        said = self.workers.arrays([part for held in parts for part in held])
        each = iter(zip(*said, strict=True))
        whole = []
        for variable, held in zip(variables, parts, strict=True):
            every = [part for _ in held for part in next(each)]
            whole.append(tf.constant(sum(every[1:], every[0]) if variable.aggregation == "sum" else every[0]))
        rest = iter(whole)
        return [[next(rest) for _ in metric.variables] for metric in metrics]

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Have this worker alone compute, within, what needs nothing of the others."""
        if not self.workers.several:
            yield
            return
        strategy, function = self._distribute_strategy, self.predict_function
        self._distribute_strategy = self.predict_function = None
        try:
            yield
        finally:
            self._distribute_strategy, self.predict_function = strategy, function

    def predict(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Return predictions as Keras does; of several workers each predicts on what it is given, and on all of it."""
        check_images(x, len(self.inputs))
        with self.alone():
            try:
                return super().predict(x, *args, **kwargs)
            except UnboundLocalError:  # Keras's own, where no batch came
                raise UsageError(NO_BATCH.format("predict")) from None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save as Keras does; of several workers one may, without the others."""
        self._keep_metrics_apart()
        super().save(*args, **kwargs)

    def load_weights(self, *args: Any, **kwargs: Any) -> None:
        """Load weights as Keras does; of several workers one may, without the others."""
        self._keep_metrics_apart()
        super().load_weights(*args, **kwargs)

    def _keep_metrics_apart(self) -> None:
        """Have metrics save what this worker counted, and load nothing: all would have to, to add up what all did."""
        if self.workers.several:
            for metric in self.metrics:
                for each in [metric, *metric._metrics]:
                    each.save_own_variables = functools.partial(_save_own_part, each)
                    each.load_own_variables = lambda store: None


@functools.cache
def _of(strategy: tf.distribute.Strategy | None) -> Workers:
    return ALONE if strategy is None else Workers(strategy)


class _Packed:
    """A step whose logs, one number each, are one tensor: Keras averages them over all replicas in one go.

    It does so along the first axis, which numbers do not have.
    """

    def __init__(self, step: Callable[[Any], Mapping[str, tf.Tensor]]):
        self.step = step
        self.names: tuple[str, ...] = ()
        self.__name__ = "packed_step"

    def __call__(self, data: Any) -> tf.Tensor:
        logs = self.step(data)
        self.names = tuple(logs)
        return tf.stack([tf.cast(value, tf.float32) for value in logs.values()])[None]

    def unpacked(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(self.names, tf.unstack(values, num=len(self.names)), strict=True))


def forget(metric: keras.metrics.Metric) -> None:
    """Reset a metric: what the replicas of this process counted, without a word to other workers, which count on."""
    for variable in metric.variables:
        for part in replicas_of(variable):
            part.assign(tf.zeros(part.shape, part.dtype))


def _save_own_part(metric: keras.metrics.Metric, store: Any) -> None:
    """Save of a metric what this worker counted: to add up what all did, all would have to save."""
    for number, variable in enumerate(metric.variables):
        store[str(number)] = np.array(replicas_of(variable)[0].numpy())
