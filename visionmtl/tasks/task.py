"""What every task is: a head, a loss, a decoder, metrics and a drawing, under one name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf

from visionmtl import drawing
from visionmtl.errors import UsageError, check_number
from visionmtl.metrics import Metric
from visionmtl.tasks import faults
from visionmtl.tasks.amounts import ByAmount
from visionmtl.tasks.classes import Classes, class_names
from visionmtl.tasks.meaning import Meaning
from visionmtl.tasks.views import Seen

Maps = Mapping[str, keras.KerasTensor]  # {"P2": [B, H / 4, W / 4, C], ...}
Outputs = dict[str, Any]  # raw outputs of a head by name, symbolic or not
Labels = Any  # a tensor, or a dictionary of them
Predictions = Mapping[str, np.ndarray]  # of one picture, by name
READ = "read"  # what a task reads of another, among its own raw outputs


def head_width(channels: int | None, task: str) -> int | None:
    """Return the width of a head as it was given: a whole number, or None for that of the maps it reads.

    Raises:
        UsageError: it is neither.
    """
    if channels is not None:
        check_number(f"Task '{task}'", "channels", channels, at_least=1, whole=True)
    return channels


class Task:
    """One thing to predict from an image.

    A new task is one file with a subclass in this folder; one that lies elsewhere is made known by `tasks.register`.

    Args:
        name: prefix of its outputs, losses and metrics; a valid Python identifier.
        classes: how many classes, or their names; None for a task that has none.
        dropout: fraction of the features dropped before the last layer in training.
        label_smoothing: how much of a target's certainty is spread over the other classes, 0..1.

    Attributes:
        kinds: the kinds of label that a task of this class learns, as in `pipelines.LabelSpec`.
        kind: the one that this task learns; the first, unless its `__init__` says another.
        options: names of the arguments beside its name and classes that a user may set, and of their attributes.
        of_classes: those options that take a number for each class, or in recipes a power of how rare classes are.
        primary: the metric that stands for the task in `val_score`; up is better, in 0..1.
        regression: whether it learns quantities instead of classes, which the uncertainty weighting must know.
        rank: 0 where it speaks of pixels, 1 of objects, 2 of the whole image; the order in which tasks read each other.
        drawn_at: where its drawing lies among those of other tasks, from 0, under all, to 3, over all.
        mistaken: what `mistakes` measures, as a page says it behind a number: "probability of a wrong class".
        maps: its predictions that have a value for every pixel, and the value that stands for "no pixel".
        meanings: what each of its predictions means, by name, as exports say it.
        purpose: what model hubs call such a task, as "object-detection"; "" for its kind.
        merging: how it makes one prediction of several views of a picture, as it is printed; "" if it has no way to.
        mask: the name of another task whose `probabilities` stand under `READ` among what `decode` is given, where a
            model has that task; None for none.
        unread: names of raw outputs that learn and of which `decode` reads nothing: exports leave them out.
        static: whether no shape in its loss depends on the values of labels, so that XLA compiles a step once.
        by_level: whether its head says something of every level by itself, as of boxes, and its loss of all.
        annotates: whether it finds objects, which `annotations` lists and whose classes are COCO's categories.
        colours: in which its classes are drawn; tasks of one model draw a class that they have in common in one colour.

    Example:
        >>> @visionmtl.tasks.register
        ... @keras.saving.register_keras_serializable("mine")
        ... class Age(visionmtl.tasks.Task):
        ...     kinds, primary, regression, options = ("age",), "within_a_year", True, ("dropout",)
    """

    kinds: ClassVar[tuple[str, ...]]
    options: ClassVar[tuple[str, ...]] = ("dropout", "label_smoothing")
    of_classes: ClassVar[tuple[str, ...]] = ()
    primary: str
    regression: bool = False
    rank: int = 2
    drawn_at: int = 3
    maps: ClassVar[Mapping[str, float]] = {}
    meanings: ClassVar[Mapping[str, Meaning]] = {}
    purpose: ClassVar[str] = ""
    merging: ClassVar[str] = ""
    mask: str | None = None
    mistaken: ClassVar[str] = ""
    unread: tuple[str, ...] = ()
    by_level: ClassVar[bool] = False
    annotates: bool = False
    static: bool = True

    def __init__(self, name: str, classes: Classes | None, dropout: float = 0.0, label_smoothing: float = 0.0):
        if not str(name).isidentifier():
            raise UsageError(f"'{name}' cannot name a task: use letters, digits and underscores, such as 'road_signs'.")
        for option, value in {"dropout": dropout, "label_smoothing": label_smoothing}.items():
            check_number(f"Task '{name}'", option, value, at_least=0, below=1)
        self.name, self.classes = name, () if classes is None else class_names(classes, name)
        self.kind, self.colours = self.kinds[0], drawing.colours(self.classes)
        self.dropout, self.label_smoothing = float(dropout), float(label_smoothing)

    @classmethod
    def from_spec(cls, spec: Any, **options: Any) -> Self:
        """Return the task that learns the labels of a spec, which has `name`, `kind` and `classes`."""
        return cls(spec.name, spec.classes, **options)

    def outputs(self, features: Maps) -> Outputs:
        """Build the head on maps `{"P2": [B, H / 4, W / 4, C], ...}` and return its raw output tensors by name."""
        raise NotImplementedError

    def evidence(self, outputs: Outputs) -> dict[str, keras.KerasTensor]:
        """Return what another task may read of the raw outputs, as symbolic tensors in 0..1 or thereabouts.

        Returns:
            By level such as "P2", a map of that level; or under "" one tensor for all levels, `[B, C]` or a map
            `[B, h, w, C]` of any size.
        """
        raise NotImplementedError

    def probabilities(self, outputs: Outputs) -> tf.Tensor:
        """Return how likely each class is at each place, `[B, h, w, C]`, for tasks that read this one."""
        raise NotImplementedError

    def entropy(self, outputs: Outputs) -> tf.Tensor:
        """Return, in graph, how undecided raw outputs are `[B]`, in nats: the mean over all it chooses a class for."""
        raise NotImplementedError

    def meet(self, tasks: Mapping[str, "Task"]) -> None:
        """Look at the tasks of the model that this one is of.

        Raises:
            UsageError: what this task reads of them is not there.
        """

    def form(self, labels: Labels, size: tuple[int, int]) -> Labels:
        """Return a batch's labels in the form of the contract, from all forms that they may be given in.

        Args:
            labels: as `fit` was given them; symbolic, so that only their structure, ranks and known sizes are seen.
            size: height and width of the images in pixels.

        Raises:
            UsageError: they cannot be labels of this task.
        """
        return labels

    def faults(self, labels: Labels, known: tf.Tensor, size: tuple[int, int]) -> faults.Found:
        """Return, in graph, which values cannot be, as `tasks.faults` has them.

        Args:
            labels: in the form of the contract.
            known: bool `[B]`, which samples are labelled.
            size: height and width of the images in pixels.
        """
        return {}

    def loss(self, labels: Labels, outputs: Outputs) -> tf.Tensor | ByAmount:
        """Return the loss of each sample `[B]`, not yet weighted, from a batch's labels and raw outputs.

        A `ByAmount` in its place has the model divide sums by what is in the whole batch.
        """
        raise NotImplementedError

    def decode(self, outputs: Outputs, image_size: Any, window: Any = None) -> Outputs:
        """Return predictions from raw outputs.

        Args:
            outputs: raw outputs of a batch.
            image_size: height and width of the picture the predictions refer to, in pixels.
            window: y0, x0, y1, x1 of that picture as fractions of the network's input; None for the whole.
        """
        raise NotImplementedError

    def certainty(self, seen: Seen) -> Outputs:
        """Return what metrics need of one or several views beside `merged`'s predictions, and no export has."""
        return {}

    def mistakes(self, labels: Labels, predictions: Outputs) -> tf.Tensor | None:
        """Return, in graph, how sure each sample's surest mistake is `[B]`, 0 where there is none; see `mistaken`.

        The labels are in the form of the contract, the predictions those of `merged` and `certainty`.
        """
        return None

    def merged(self, seen: Seen, image_size: Any, window: Any = None) -> Outputs:
        """Return predictions as `decode` does, out of several views of the same pictures; see `merging`."""
        return self.decode(dict(seen.plain.outputs), image_size, window)

    def confident(self, predictions: Outputs, confidences: Any) -> Outputs:
        """Return a batch's predictions without the objects whose score is below the confidence of their class.

        Args:
            predictions: from `decode`.
            confidences: a number for all classes, one for each by name, or numbers `[C]` or `[B, C]`.
        """
        return predictions

    def metrics(self) -> list[Metric]:
        """Return new metrics of this task."""
        raise NotImplementedError

    def confidences(self, measured: Sequence[Metric]) -> dict[str, float] | None:
        """Return the confidence of each class by which a measurement is best; None where it tells of none.

        Args:
            measured: the task's `metrics()`, after an evaluation.
        """
        return None

    def charts(self, measured: Sequence[Metric]) -> dict[str, np.ndarray]:
        """Return what can be plotted of a measurement, by what the plots of tasks ask for, as "confusion".

        Args:
            measured: the task's `metrics()`, after an evaluation.
        """
        return {}

    def truth(self, labels: Labels) -> dict[str, np.ndarray]:
        """Return a batch's labels as NumPy arrays in the form of `decode`'s predictions."""
        raise NotImplementedError

    def draw(self, image: np.ndarray, predictions: Predictions) -> np.ndarray:
        """Return a copy of an image, uint8 `[H, W, 3]`, with predictions drawn on, or below it in words."""
        return drawing.keyed(image, {}, drawing.words([self], {self.name: predictions}))

    def draw_truth(self, image: np.ndarray, truth: Predictions) -> np.ndarray:
        """Return a copy of an image with all that is labelled in it drawn on, even what is neither learnt nor counted.

        Args:
            image: uint8 `[H, W, 3]`.
            truth: of this one image, in the form of `truth`.
        """
        return self.draw(image, truth)

    def words(self, predictions: Predictions) -> str:
        """Return what is said in words, to stand below the picture in place of `draw`; "" for nothing."""
        return ""

    @property
    def legend(self) -> drawing.Colours:
        """The colours that a drawing leaves unexplained, as those of areas without a name; empty for none."""
        return {}

    def describe(self, predictions: Predictions, folder: Path, picture: str) -> Any:
        """Return what `predictions.jsonl` says of a picture under the task's name, or None for nothing.

        What is no JSON is written to a file beneath the folder, of which the path from there is returned.

        Args:
            predictions: of this one picture, in its pixels.
            folder: where `predictions.jsonl` lies.
            picture: its name, which no other picture there has; with folders, as "cats/tom".
        """
        raise NotImplementedError

    def annotations(self, predictions: Predictions) -> list[dict[str, Any]]:
        """Return the objects found in a picture, each as `{"class": int, "bbox": [x, y, width, height], "score": s}`.

        Args:
            predictions: of this one picture, in its pixels.
        """
        return []

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this task again."""
        classes = {"classes": list(self.classes)} if self.classes else {}
        return {"name": self.name} | classes | {key: getattr(self, key) for key in self.options}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Return the task that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self.name}'{f', {len(self.classes)} classes' if self.classes else ''})"

    def dropped(self, x: keras.KerasTensor, level: str = "") -> keras.KerasTensor:
        """Return features, all or those of a level such as "P2", with this task's dropout, if any."""
        name = "_".join(filter(None, (self.name, "dropout", level)))
        return keras.layers.Dropout(self.dropout, name=name)(x) if self.dropout else x
