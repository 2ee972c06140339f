"""MultiTaskModel: an image in, a backbone shared by all tasks, every task's predictions out."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visionmtl import backbones, necks
from visionmtl import sharing as sharing_schemes
from visionmtl.balanced import BalancedModel
from visionmtl.errors import UsageError
from visionmtl.layers import fuse_normalisation
from visionmtl.tasks.task import Task, share_colours


@keras.saving.register_keras_serializable("visionmtl")
class MultiTaskModel(BalancedModel):
    """A functional Keras model that does several vision tasks at once.

    `model(images)` gives the raw outputs, a flat dictionary `<task>_<tensor>`; `model.predict(images)` gives what they
    mean: probabilities, boxes, class maps, in pixels of the network's input. Train it with `compile` and `fit` on
    batches `(images, labels, weights)`; `evaluate` adds every task's metrics and their mean `score`.

    Args:
        tasks: one or several tasks of different names.
        backbone: a name of `backbones.names()`, or a functional model like those of `backbones.build`, which is copied.
        image_shape: height, width and 3; height and width are multiples of 32.
        sharing: how tasks share the backbone: a name, `{"name": ..., option: value}` or a scheme.
        weights: None for random ones, "imagenet", or a `.keras` or `.weights.h5` file.
        neck: options of `necks.pyramid`, such as `{"channels": 128}`.

    Attributes:
        tasks: the tasks by name.
        task_metrics: each task's metric objects by name, as the last `evaluate` left them.

    Raises:
        UsageError: no task, two tasks of one name, or what `backbones.build` and `sharing.get` refuse.

    Example:
        >>> tasks = [visionmtl.Detection("cars", ["car"]), visionmtl.Segmentation("street", 11)]
        >>> model = visionmtl.MultiTaskModel(tasks, weights="imagenet")
        >>> model.compile("adamw", balancing="uncertainty")
    """

    def __init__(
        self,
        tasks,
        backbone="efficientnet_lite0",
        image_shape=(288, 384, 3),
        sharing="hard",
        weights=None,
        neck=None,
        name="multi_task_model",
        **kwargs,
    ):
        tasks = _by_name([tasks] if isinstance(tasks, Task) else tasks)
        scheme, neck = sharing_schemes.get(sharing), dict(neck or {})

        def make_stages(prefix=""):
            built = backbones.build(backbone, image_shape, weights) if isinstance(backbone, str) else backbone
            return backbones.stages(fuse_normalisation(built), prefix)

        image = keras.Input(image_shape, name="image")
        features = scheme.features(image, list(tasks), make_stages)
        necked = _necks(features, neck)
        heads = {name: task.outputs(necked[name]) for name, task in tasks.items()}
        outputs = {f"{name}_{key}": tensor for name, head in heads.items() for key, tensor in head.items()}
        super().__init__(inputs=image, outputs=outputs, name=name, **kwargs)
        share_colours(tasks.values())
        self.tasks = tasks
        self.image_shape = tuple(image_shape)
        self._heads = {name: list(head) for name, head in heads.items()}
        # Kept as it is saved: a model among the attributes would add its variables to this one's.
        self._config = {
            "backbone": keras.saving.serialize_keras_object(backbone),
            "image_shape": list(image_shape),
            "sharing": sharing_schemes.serialize(scheme),
            "neck": neck,
        }

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        return self.image_shape[:2]

    @property
    def task_names(self):
        return list(self.tasks)

    test_function: Any

    def compile(self, optimizer="adamw", loss=None, metrics=None, balancing="equal", clip_norm=None, **kwargs):
        """Prepare for training; losses and metrics are the tasks' own. See `BalancedModel.compile`."""
        # Matching trims its tensors to the fullest image of a batch, a shape that XLA would compile anew each time.
        super().compile(optimizer, loss, metrics, balancing, clip_norm, **{"jit_compile": False} | kwargs)
        self.task_metrics = {name: task.metrics() for name, task in self.tasks.items()}

    def _prepare_losses(self, loss, metrics):
        if loss is not None or metrics is not None:
            raise UsageError(
                "A MultiTaskModel's losses and metrics come from its tasks: leave loss and metrics out of compile."
            )
        self._metrics_of = {}

    def _regression(self):
        return [getattr(task, "regression", False) for task in self.tasks.values()]

    def _task_outputs(self):
        return {name: list(self._raw(task, self.output).values()) for name, task in self.tasks.items()}

    def _raw(self, task: Task, outputs: dict) -> dict:
        """Return one task's outputs under the names its head gave them."""
        return {key: outputs[f"{task.name}_{key}"] for key in self._heads[task.name]}

    def sample_losses(self, labels, outputs):
        return {
            name: task.loss(labels[name], self._raw(task, outputs))
            for name, task in self.tasks.items()
            if labels.get(name) is not None
        }

    def decode(self, outputs: dict, image_size=None, window=None) -> dict[str, tf.Tensor]:
        """Return what raw outputs mean, a flat dictionary `<task>_<prediction>`.

        Args:
            image_size: height and width of the picture the predictions refer to; default the network's input.
            window: y0, x0, y1, x1 of that picture as fractions of the input, from `images.fit`; default the whole.
        """
        size = self.image_size if image_size is None else image_size
        return {
            f"{name}_{key}": value
            for name, task in self.tasks.items()
            for key, value in task.decode(self._raw(task, outputs), size, window).items()
        }

    def predict_step(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.decode(self(images, training=False))

    def _replica_test_step(self, data):
        """Return the losses so far and each metric's statistics of this replica's batch."""
        labels, outputs, weights, logs = self._measured(data)
        statistics = {}
        for name, task in self.tasks.items():
            if labels.get(name) is None:
                continue
            predictions = task.decode(self._raw(task, outputs), self.image_size)
            weight = None if weights is None else weights.get(name)
            weight = tf.ones_like(tf.nest.flatten(predictions)[0][:, 0], tf.float32) if weight is None else weight
            statistics[name] = [
                metric.statistics(labels[name], predictions, weight) for metric in self.task_metrics[name]
            ]
        return logs, statistics

    def make_test_function(self, force=False):
        """Build the evaluation step: statistics in the graph on every replica, metrics from them on the host."""
        if self.test_function is not None and not force:
            return self.test_function
        strategy = self.distribute_strategy

        def step(data):
            logs, statistics = strategy.run(self._replica_test_step, args=(data,))
            return tf.nest.map_structure(strategy.experimental_local_results, (logs, statistics))

        if not self.run_eagerly:
            step = tf.function(step, reduce_retracing=True, autograph=False)

        def test_function(iterator):
            logs = None
            for _, data in zip(range(self.steps_per_execution), iterator, strict=False):
                logs, statistics = step(data)
                for name, metrics in statistics.items():
                    for metric, values in zip(self.task_metrics[name], metrics, strict=True):
                        for replica in range(strategy.num_replicas_in_sync):
                            metric.update({key: np.asarray(value[replica]) for key, value in values.items()})
            if logs is None:
                raise StopIteration
            return {name: value[0] for name, value in logs.items()}

        self.test_function = test_function
        return test_function

    def reset_metrics(self):
        super().reset_metrics()
        for metrics in getattr(self, "task_metrics", {}).values():
            for metric in metrics:
                metric.reset()

    def evaluate(self, *args, return_dict=False, **kwargs):
        """Return the losses, `<task>_<metric>` for every task, and `score`, the mean of the tasks' primary metrics."""
        super().evaluate(*args, return_dict=True, **kwargs)
        logs = self._mean_losses()
        results = self.task_results()
        for task, metrics in results.items():
            logs |= {f"{task}_{name}": value for name, value in metrics.items()}
        primary = [results[name].get(task.primary, np.nan) for name, task in self.tasks.items()]
        known = [value for value in primary if not np.isnan(value)]
        logs["score"] = float(np.mean(known)) if known else float("nan")
        return logs if return_dict else list(logs.values())

    def task_results(self, details: bool = False) -> dict[str, dict[str, float]]:
        """Return each task's metrics of the last `evaluate`, with those of every class if `details`."""
        return {
            name: {key: value for metric in metrics for key, value in metric.result(details=details).items()}
            for name, metrics in self.task_metrics.items()
        }

    def get_config(self):
        return {
            "name": self.name,
            **self._config,
            "tasks": [keras.saving.serialize_keras_object(task) for task in self.tasks.values()],
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        config["tasks"] = [keras.saving.deserialize_keras_object(task) for task in config["tasks"]]
        config["backbone"] = keras.saving.deserialize_keras_object(config["backbone"])
        return cls(**config)


def _necks(features: dict[str, dict], options: dict) -> dict[str, dict]:
    """Return each task's maps after a neck; tasks that read the very same maps share one."""
    built: dict[tuple, dict] = {}
    result = {}
    keys = {task: tuple(id(maps[level]) for level in sorted(maps)) for task, maps in features.items()}
    for task, key in keys.items():
        if key not in built:
            name = "neck" if len(set(keys.values())) == 1 else f"{task}_neck"
            built[key] = necks.pyramid(features[task], name=name, **options)
        result[task] = built[key]
    return result


def _by_name(tasks) -> dict[str, Task]:
    """Return the tasks by name; raise UsageError where there is none or two share a name."""
    tasks = list(tasks)
    if not tasks:
        raise UsageError("A model needs a task: give at least one of Classification, Detection and Segmentation.")
    by_name = {task.name: task for task in tasks}
    if len(by_name) < len(tasks):
        names = [task.name for task in tasks]
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"Two tasks are named '{twice}': each needs a name of its own.")
    return by_name
