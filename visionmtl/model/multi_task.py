"""MultiTaskModel: an image in, a backbone shared by all tasks, every task's predictions out."""

import copy
from collections import UserDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl import sharing as sharing_schemes
from visionmtl.errors import UsageError, one_of
from visionmtl.model import assembly, growing, kept
from visionmtl.model.evaluation import Evaluation
from visionmtl.model.features import Features
from visionmtl.model.kept import Kept
from visionmtl.model.labels import faults, formed
from visionmtl.model.losses import of_samples
from visionmtl.model.measured import MeasuredModel
from visionmtl.model.outputs import RawOutputs
from visionmtl.sharing import Matrix, Penalty
from visionmtl.step.admission import Batch
from visionmtl.step.faults import Found
from visionmtl.tasks import Task
from visionmtl.tasks.together import by_name, share_colours


@keras.saving.register_keras_serializable("visionmtl")
class MultiTaskModel(MeasuredModel):
    """A functional Keras model that does several vision tasks at once.

    `model(images)` gives the raw outputs, a flat dictionary `<task>_<tensor>`; `model.predict(images)` gives what they
    mean: probabilities, boxes, class maps, in pixels of the network's input. Train it with `compile` and `fit` on
    batches `(images, labels, weights)`; `evaluate` adds every task's metrics and their mean `score`.

    Args:
        tasks: one or several tasks of different names.
        backbone: a name of `backbones.names()`, or a functional model like those of `backbones.build`, which is copied.
        image_shape: height, width and 3; height and width are multiples of 32.
        sharing: how tasks share the backbone: a name, `{"name": ..., option: value}` or a scheme.
        weights: None for random ones, "imagenet", or a file, as `backbones.build` takes them.
        neck: options of `necks.pyramid`, such as `{"channels": 128}`.
        only: the names of the tasks whose outputs the model has; of the others it keeps what these need. None for all.
        frozen: names of parts that do not learn, as `freeze` takes them.
        resize: how pictures of another shape were brought to the network's input in training: "stretch" or "letterbox".
        recipe: what it was trained by, as `{"name": ..., "text": YAML}`; None where there was no recipe.
        confidences: the score from which on an object is taken for one: by task that finds objects, a number for all
            its classes or one for each by name; None, for the task or for all, where none was chosen.

    Attributes:
        tasks: the tasks by name.
        resize, recipe, confidences: as above, kept in the config; `confidences` is `{task: {class: number} | None}`.
        parts: the names of the layers by what they are: "backbone", "P2" and the other levels, "sharing", "neck", and
            each task.
        features: the maps that the heads read, `features.named()`.
        task_metrics: each task's metric objects by name, as the last `evaluate` left them.

    Raises:
        UsageError: no task, two tasks of one name, or what `backbones.build` and `sharing.get` refuse.

    Example:
        >>> tasks = [visionmtl.Detection("cars", ["car"]), visionmtl.Segmentation("street", 11)]
        >>> model = visionmtl.MultiTaskModel(tasks, weights="imagenet")
        >>> model.compile("adamw", balancing="uncertainty")
    """

    resize = Kept(kept.resize)
    recipe = Kept(kept.recipe)
    confidences = Kept(kept.confidences)

    def __init__(
        self,
        tasks: Task | Iterable[Task],
        backbone: str | keras.Model = "efficientnet_lite0",
        image_shape: tuple[int, int, int] = (288, 384, 3),
        sharing: Any = "hard",
        weights: Any = None,
        neck: Mapping | None = None,
        only: Sequence[str] | None = None,
        frozen: Sequence[str] | None = None,
        resize: str = "stretch",
        recipe: Mapping[str, str] | None = None,
        confidences: Mapping[str, Any] | None = None,
        name: str = "multi_task_model",
        **kwargs: Any,
    ):
        named, scheme, neck = by_name(tasks), sharing_schemes.get(sharing), dict(neck or {})
        chosen = [one_of(task, named, "task") for task in (named if only is None else only)]
        made = assembly.assemble(named, backbone, image_shape, scheme, weights, neck)
        built = made.built
        auxiliary = {name: built.auxiliary[name] for name in chosen if name in built.auxiliary}
        heads = {name: built.outputs[name] for name in chosen}
        super().__init__(inputs=made.image, outputs=RawOutputs.flat(heads, auxiliary), name=name, **kwargs)
        self.tasks = {name: named[name] for name in chosen}
        share_colours(self.tasks.values())
        self.image_shape = tuple(image_shape)
        self._raw = RawOutputs(heads, auxiliary)
        there = {layer.name for layer in self.layers}
        self.parts = {part: [layer for layer in layers if layer in there] for part, layers in made.parts.items()}
        self.features = Features({name: built.mixed.by_task[name] for name in chosen}, there)
        self.sharing, self._tied = scheme, built.layers
        self._learnt, self._started, self.own_rates, self.began = built.learnt, built.started, built.rates, built.began
        # As it is saved, and no dict: on that, and its lists, Keras would hang all that is tracked, for copies to take.
        self._config: UserDict[str, Any] = UserDict(
            tasks=[keras.saving.serialize_keras_object(task) for task in named.values()],
            backbone=keras.saving.serialize_keras_object(backbone),
            image_shape=list(image_shape),
            sharing=sharing_schemes.serialize(scheme),
            neck=neck,
            only=None if only is None else chosen,
            **dict.fromkeys(("resize", "recipe", "confidences")),
        )
        self.resize, self.recipe = resize, recipe
        self.confidences = {k: v for k, v in (confidences or {}).items() if k in self.tasks or k not in named}
        self.freeze(frozen or [])
        own = {id(variable) for variable in self.variables}
        self._penalties = [penalty for penalty in built.penalties if {id(v) for v in penalty.variables} <= own]

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        return self.image_shape[0], self.image_shape[1]

    @property
    def task_names(self) -> list[str]:
        """The names of the tasks, in the order of the balancer's losses."""
        return list(self.tasks)

    @property
    def penalties(self) -> list[Penalty]:
        """The losses by which the sharing scheme ties variables that the model has."""
        return list(self._penalties)

    @property
    def losses(self) -> list:
        """The losses that are no task's: those of layers, and the penalties of the sharing scheme, as they are now."""
        return [*super().losses, *(penalty.value() for penalty in getattr(self, "_penalties", ()))]

    def learnt_sharing(self) -> dict[str, Matrix]:
        """Return what the scheme has learnt of how the tasks share, matrices by title; empty if there is nothing."""
        return self._learnt(self)

    def freeze(self, parts: str | Sequence[str]) -> None:
        """Let these parts of the model stay as they are, and all others learn. Compile the model afterwards.

        A frozen batch normalisation also keeps its statistics, and uses them.

        Args:
            parts: names from `model.parts`: "backbone", a level such as "P3", "sharing", "neck", a task, or
                "<task>_neck" where tasks have a neck each; [] for none.

        Raises:
            UsageError: there is no such part, or nothing would be left to learn.

        Example:
            >>> model.freeze(["backbone", "neck", "detection"])
            >>> model.compile("adamw")
        """
        self._config["frozen"] = growing.freeze(self, parts) or None
        self.compiled = False

    def add_task(self, task: Task, sharing: Any = None, freeze: bool = True) -> "MultiTaskModel":
        """Return a model with one task more. The outputs of the others are the same, bit for bit.

        Args:
            task: the new task.
            sharing: the scheme anew, where its options name tasks; None for the model's own.
            freeze: whether all but the new task is frozen, so that its head, with a neck and adapters of its own if it
                has some, learns alone and the others' outputs stay what they are; False lets everything learn.

        Raises:
            UsageError: the model has a task of this name, or the scheme lets a trained task read layers that are new.

        Example:
            >>> grown = model.add_task(visionmtl.Classification("weather", ["dry", "wet"]))
            >>> grown.compile("adamw")
        """
        grown = growing.add_task(self, task, sharing)
        if freeze:
            grown.freeze(growing.all_but(grown, task.name))
        return grown

    def subset(self, tasks: str | Sequence[str]) -> "MultiTaskModel":
        """Return a model of some tasks, with only the layers they need; its outputs are the same, bit for bit.

        What is frozen stays so, unless nothing would be left to learn.

        Args:
            tasks: a name, or several.

        Raises:
            UsageError: the model has no such task.
        """
        return growing.subset(self, tasks)

    def start_from(self, source: keras.Model | Mapping[str, keras.Model]) -> tuple[list[str], list[str]]:
        """Take the weights of another model's layers of the same name and shapes, or of a model for each task.

        Returns:
            The names of the layers that got weights, and of those that have weights and got none.
        """
        names = growing.take_weights(self, source if isinstance(source, Mapping) else {"": source})
        self._started()
        return names

    def compile(
        self,
        optimizer: Any = "adamw",
        loss: Mapping | None = None,
        metrics: Mapping | None = None,
        balancing: Any = "equal",
        clip_norm: float | None = None,
        check_values: bool = True,
        skip_nonfinite: bool = True,
        rates: Mapping[str, float] | None = None,
        sizes: Mapping[int, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Prepare for training; losses and metrics are the tasks' own. See `BalancedModel.compile`.

        `sizes` are the fractions of the image size that `fit` trains at, by first epoch, as `{0: 0.5, 6: 1}`.
        """
        # Matching trims its tensors to the fullest image of a batch, a shape that XLA would compile anew each time.
        plain = {"jit_compile": False} | kwargs
        super().compile(optimizer, loss, metrics, balancing, clip_norm, check_values, skip_nonfinite, rates, **plain)
        self.evaluation = Evaluation(self.tasks)
        self.train_at(sizes)

    def _prepare_losses(self, loss: Mapping | None, metrics: Mapping | None) -> None:
        if loss is not None or metrics is not None:
            raise UsageError(
                "A MultiTaskModel's losses and metrics come from its tasks: leave loss and metrics out of compile."
            )
        self._metrics_of = {}

    def _regression(self) -> list[bool]:
        return [task.regression for task in self.tasks.values()]

    def task_outputs(self) -> dict[str, list]:
        """Return each task's symbolic outputs, of which its loss is made."""
        raw = {name: list(self.raw_outputs(name, self.output).values()) for name in self.tasks}
        further = {name: self._raw.auxiliary_of(name, self.output) for name in raw}
        return {name: [*raw[name], *(x for one, _ in further[name] for x in one.values())] for name in raw}

    def raw_outputs(self, task: str, outputs: Mapping) -> dict[str, Any]:
        """Return one task's outputs out of those of the model, under the names its head gave them."""
        return self._raw.of(task, outputs)

    def formed(self, batch: Batch) -> Batch:
        return formed(batch, self.tasks, self.image_shape)

    def value_faults(self, batch: Batch) -> Found:
        return faults(batch, self.tasks, self.image_size)

    def sample_losses(self, labels: Mapping, outputs: Mapping, weights: Mapping | None = None) -> dict[str, tf.Tensor]:
        """Return the loss of each sample `[B]` for each task whose labels are given."""
        losses = {}
        for name, label in labels.items():
            task, weight = self.tasks[name], (weights or {}).get(name)
            losses[name] = of_samples(task, label, self.raw_outputs(name, outputs), weight)
            for further, share in self._raw.auxiliary_of(name, outputs):
                losses[name] += share * of_samples(task, label, further, weight)
        return losses

    def decode(
        self,
        outputs: Mapping,
        image_size: Any = None,
        window: Any = None,
        confidences: Mapping[str, Any] | None = None,
    ) -> dict[str, tf.Tensor]:
        """Return what raw outputs mean, a flat dictionary `<task>_<prediction>`.

        Args:
            image_size: height and width of the picture the predictions refer to; default the network's input.
            window: y0, x0, y1, x1 of that picture as fractions of the input, from `images.fit`; default the whole.
            confidences: by task, what `Task.confident` takes, such as `model.confidences`; default all objects.
        """
        size, least = self.image_size if image_size is None else image_size, confidences or {}
        flat: dict[str, tf.Tensor] = {}
        for name, task in self.tasks.items():
            decoded = task.decode(self.read_outputs(name, outputs), size, window)
            decoded = decoded if least.get(name) is None else task.confident(decoded, least[name])
            flat |= {f"{name}_{key}": value for key, value in decoded.items()}
        return flat

    def get_config(self) -> dict:
        return {"name": self.name, **self._config}

    @classmethod
    def from_config(cls, config: dict, custom_objects: Mapping | None = None) -> "MultiTaskModel":
        config = copy.deepcopy(config)  # Keras takes a model's config apart as it reads it
        config["tasks"] = [keras.saving.deserialize_keras_object(task) for task in config["tasks"]]
        config["backbone"] = keras.saving.deserialize_keras_object(config["backbone"])
        return cls(**config)
