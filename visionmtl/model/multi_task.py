"""MultiTaskModel: an image in, a backbone shared by all tasks, every task's predictions out."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from visionmtl import sharing as sharing_schemes
from visionmtl.errors import UsageError, one_of
from visionmtl.model import assembly, growing
from visionmtl.sharing import Matrix, Penalty
from visionmtl.step.balanced import BalancedModel
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
        only: the names of the tasks whose outputs the model has; of the others it keeps what these need. None for all.
        frozen: names of parts that do not learn, as `freeze` takes them.

    Attributes:
        tasks: the tasks by name.
        parts: the names of the layers by what they are: "backbone", "P2" and the other levels, "sharing", "neck", and
            each task.
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
        only=None,
        frozen=None,
        name="multi_task_model",
        **kwargs,
    ):
        tasks = _by_name([tasks] if isinstance(tasks, Task) else tasks)
        scheme, neck = sharing_schemes.get(sharing), dict(neck or {})
        kept = [one_of(task, tasks, "task") for task in (tasks if only is None else only)]
        made = assembly.assemble(tasks, backbone, image_shape, scheme, weights, neck)
        built = made.built
        auxiliary = {name: built.auxiliary[name] for name in kept if name in built.auxiliary}
        outputs = {f"{name}_{key}": tensor for name in kept for key, tensor in built.outputs[name].items()}
        outputs |= {
            _auxiliary_name(name, key): tensor
            for name, more in auxiliary.items()
            for key, tensor in more.outputs.items()
        }
        super().__init__(inputs=made.image, outputs=outputs, name=name, **kwargs)
        self.tasks = {name: tasks[name] for name in kept}
        share_colours(self.tasks.values())
        self.image_shape = tuple(image_shape)
        self._heads = {name: list(built.outputs[name]) for name in kept}
        self._auxiliary = {task: more._replace(outputs=dict.fromkeys(more.outputs)) for task, more in auxiliary.items()}
        there = {layer.name for layer in self.layers}
        self.parts = {part: [layer for layer in layers if layer in there] for part, layers in made.parts.items()}
        self.sharing = scheme
        self._tied = built.layers
        self._learnt, self._started = built.learnt, built.started
        # Kept as it is saved: a model among the attributes would add its variables to this one's.
        self._config = {
            "tasks": [keras.saving.serialize_keras_object(task) for task in tasks.values()],
            "backbone": keras.saving.serialize_keras_object(backbone),
            "image_shape": list(image_shape),
            "sharing": sharing_schemes.serialize(scheme),
            "neck": neck,
            "only": None if only is None else kept,
        }
        self.freeze(frozen or [])
        own = {id(variable) for variable in self.variables}
        self._penalties = [penalty for penalty in built.penalties if {id(v) for v in penalty.variables} <= own]

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        return self.image_shape[:2]

    @property
    def task_names(self):
        return list(self.tasks)

    @property
    def penalties(self) -> list[Penalty]:
        """The losses by which the sharing scheme ties variables that the model has."""
        return list(self._penalties)

    @property
    def losses(self):
        """The losses that are no task's: those of layers, and the penalties of the sharing scheme, as they are now."""
        return [*super().losses, *(penalty.value() for penalty in getattr(self, "_penalties", ()))]

    def learnt_sharing(self) -> dict[str, Matrix]:
        """Return what the scheme has learnt of how the tasks share, matrices by title; empty if there is nothing."""
        return self._learnt(self)

    def freeze(self, parts) -> None:
        """Let these parts of the model stay as they are, and all others learn. Compile the model afterwards.

        A frozen batch normalisation also keeps its statistics, and uses them.

        Args:
            parts: names from `model.parts`: "backbone", a level such as "P3", "sharing", "neck", or a task; [] for
                none.

        Raises:
            UsageError: there is no such part, or nothing would be left to learn.

        Example:
            >>> model.freeze(["backbone", "neck", "detection"])
            >>> model.compile("adamw")
        """
        chosen = [one_of(part, self.parts, "part to freeze") for part in ([parts] if isinstance(parts, str) else parts)]
        still = {name for part in chosen for name in self.parts[part]}
        for layer in self.layers:
            layer.trainable = layer.name not in still
        if not self.trainable_variables:
            raise UsageError(f"Nothing is left to learn: {', '.join(chosen)} are all parts of the model.")
        self._config["frozen"] = chosen or None
        self.compiled = False

    def add_task(self, task: Task, sharing=None, freeze: bool = True):
        """Return a model with one task more. The outputs of the others are the same, bit for bit.

        Args:
            task: the new task.
            sharing: the scheme anew, where its options name tasks; None for the model's own.
            freeze: whether all but the new task is frozen, so that its head learns alone and the others' outputs stay
                what they are; False lets everything learn.

        Raises:
            UsageError: the model has a task of this name, or the scheme lets a trained task read the new one.

        Example:
            >>> grown = model.add_task(visionmtl.Classification("weather", ["dry", "wet"]))
            >>> grown.compile("adamw")
        """
        grown = growing.add_task(self, task, sharing)
        if freeze:
            grown.freeze([part for part, layers in grown.parts.items() if part != task.name and layers])
        return grown

    def subset(self, tasks):
        """Return a model of some tasks, with only the layers they need; its outputs are the same, bit for bit.

        Args:
            tasks: a name, or several.

        Raises:
            UsageError: the model has no such task.
        """
        return growing.subset(self, tasks)

    def start_from(self, source: keras.Model) -> tuple[list[str], list[str]]:
        """Take the weights of another model's layers of the same name and shapes.

        Returns:
            The names of the layers that got weights, and of those that have weights and got none.
        """
        found = growing.take_weights(self, source)
        self._started()
        return found

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
        return [task.regression for task in self.tasks.values()]

    def _task_outputs(self):
        raw = {name: list(self.raw_outputs(name, self.output).values()) for name in self.tasks}
        return {name: [*raw[name], *self._raw_auxiliary(name, self.output).values()] for name in raw}

    def raw_outputs(self, task: str, outputs: dict) -> dict:
        """Return one task's outputs out of those of the model, under the names its head gave them."""
        return {key: outputs[f"{task}_{key}"] for key in self._heads[task]}

    def _raw_auxiliary(self, task: str, outputs: dict) -> dict:
        """Return a task's outputs that learn but predict nothing, under the names its head gave them."""
        more = self._auxiliary.get(task)
        return {key: outputs[_auxiliary_name(task, key)] for key in more.outputs} if more else {}

    def sample_losses(self, labels, outputs):
        losses = {}
        for name, task in self.tasks.items():
            if labels.get(name) is None:
                continue
            losses[name] = task.loss(labels[name], self.raw_outputs(name, outputs))
            if name in self._auxiliary:
                more = task.loss(labels[name], self._raw_auxiliary(name, outputs))
                losses[name] += self._auxiliary[name].weight * more
        return losses

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
            for key, value in task.decode(self.raw_outputs(name, outputs), size, window).items()
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
            predictions = task.decode(self.raw_outputs(name, outputs), self.image_size)
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
        return {"name": self.name, **self._config}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        config["tasks"] = [keras.saving.deserialize_keras_object(task) for task in config["tasks"]]
        config["backbone"] = keras.saving.deserialize_keras_object(config["backbone"])
        return cls(**config)


def _auxiliary_name(task: str, key: str) -> str:
    return f"auxiliary_{task}_{key}"


def _by_name(tasks) -> dict[str, Task]:
    """Return the tasks by name; raise UsageError where there is none or two share a name."""
    tasks = list(tasks)
    if not tasks:
        raise UsageError("A model needs a task: give at least one, such as Detection or Segmentation.")
    by_name = {task.name: task for task in tasks}
    if len(by_name) < len(tasks):
        names = [task.name for task in tasks]
        twice = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"Two tasks are named '{twice}': each needs a name of its own.")
    return by_name
