"""Training at smaller images first, for speed: which epochs at which size, and whether a model can be."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from visionmtl.errors import UsageError, check_number
from visionmtl.step.admission import Batch
from visionmtl.step.sizes import AsGiven
from visionmtl.tasks import shrinking
from visionmtl.tasks.shrinking import Size

STRIDE = 32  # of the deepest level, in pixels


class Sizes(AsGiven):
    """The sizes of the images that a model is trained on, by the epoch from which on.

    Args:
        whole: height and width of the model's images in pixels.
        fractions: of that, by the first epoch, from 0; rounded to multiples of 32 pixels.

    Raises:
        UsageError: an epoch or a fraction is none, or nothing is said of epoch 0.

    Reference: Touvron et al. 2019, Fixing the train-test resolution discrepancy; Tan and Le 2021, EfficientNetV2:
        Smaller Models and Faster Training, section 4 (progressive learning).

    Example:
        >>> Sizes((288, 384), {0: 0.5, 6: 0.75, 12: 1}).by_epoch
        {0: (160, 192), 6: (224, 288), 12: (288, 384)}
    """

    def __init__(self, whole: Size, fractions: Mapping[Any, float]):
        if not isinstance(fractions, Mapping) or not all(str(epoch).isdecimal() for epoch in fractions):
            raise UsageError(
                f"compile was given sizes={fractions!r}: expected fractions by epoch, as {{0: 0.5, 6: 1}}."
            )
        given = {int(epoch): fraction for epoch, fraction in fractions.items()}
        if 0 not in given:
            raise UsageError(f"compile was given sizes={fractions!r}, which say nothing of epoch 0, the first.")
        self.by_epoch: dict[int, Size] = {}
        for epoch in sorted(given):
            fraction = check_number("compile", f"sizes[{epoch}]", given[epoch], above=0, up_to=1)
            height, width = (max(STRIDE, int(side * fraction / STRIDE + 0.5) * STRIDE) for side in whole)
            self.by_epoch[epoch] = height, width
        self.whole: Size = whole[0], whole[1]
        self.checked = False
        self.all: tuple[Size | None, ...] = tuple(dict.fromkeys(self.due(epoch) for epoch in self.by_epoch))

    def due(self, epoch: int) -> Size | None:
        size = self.by_epoch[max(first for first in self.by_epoch if first <= epoch)]
        return None if size == self.whole else size

    @contextlib.contextmanager
    def taken(self, model: Any) -> Iterator[None]:
        if self.due(model.position.epoch) is None:
            yield
            return
        cut = model.plans.due.cut
        with _of_any_size(model, *([] if cut is None else [cut.trunk])):
            yield

    def of(self, model: Any, batch: Batch) -> Batch:
        size = self.due(model.position.epoch)
        if size is None:
            return batch
        images = shrinking.images(tf.ensure_shape(batch.images, (None, *self.whole, 3)), size)
        labels = {
            name: shrinking.labels(model.tasks[name], label, self.whole, size) for name, label in batch.labels.items()
        }
        return batch._replace(images=images, labels=labels)

    def check(self, model: Any) -> None:
        if self.checked:
            return
        balancer = model.balancer
        if balancer.scope == "features" and any(len(variable.shape) == 3 for variable in balancer.variables):
            raise UsageError(
                f"balancing '{balancer.method_name}' with scope=features keeps maps of one size, so that training.sizes"
                " cannot be had: give it scope=parameters, or leave sizes out."
            )
        for size in self.all:
            if size is not None and (wrong := _misfit(model, self.whole, size)):
                raise UsageError(
                    f"The model cannot be trained on images of {size[0]} x {size[1]}, as training.sizes has it: {wrong}"
                    f" is made for {self.whole[0]} x {self.whole[1]}. Leave sizes out, or take another sharing scheme"
                    f" than '{model.sharing.name}' or another backbone."
                )
        self.checked = True


@contextlib.contextmanager
def _of_any_size(*models: Any) -> Iterator[None]:
    """Have functional models, and those within them, take images of any height and width, within."""
    functional = [layer for model in models for layer in model._flatten_layers() if isinstance(layer, keras.Model)]
    before = [(vars(each), vars(each).get("_manual_input_spec")) for each in functional]
    for each in functional:
        specs = [_free(tensor.shape) for tensor in each.inputs]
        vars(each)["_manual_input_spec"] = specs
    try:
        yield
    finally:
        for own, spec in before:
            if spec is None:
                own.pop("_manual_input_spec", None)
            else:
                own["_manual_input_spec"] = spec


def _free(shape: tuple[int | None, ...]) -> keras.layers.InputSpec:
    """Return what an input may be: of the same rank, and a map of as many channels but any height and width."""
    if len(shape) == 4:
        return keras.layers.InputSpec(shape=(None, None, None, shape[-1]))
    return keras.layers.InputSpec(shape=(None, *shape[1:]), allow_last_axis_squeeze=True)


def _misfit(model: Any, whole: Size, size: Size) -> str:
    """Return what of a model does not fit images of another size; "" if all does."""
    run = tf.function(lambda images: model(images, training=False), autograph=False)
    try:
        with _of_any_size(model):
            made = run.get_concrete_function(tf.TensorSpec((None, *size, 3))).structured_outputs
    except (ValueError, TypeError, IndexError, tf.errors.OpError):
        return "a layer"
    for name, tensor in made.items():
        shape = tuple(model.output[name].shape[1:])
        if len(shape) == 3:
            shape = *(side * new // old for side, new, old in zip(shape[:2], size, whole, strict=True)), shape[2]
        if tuple(tensor.shape[1:]) != shape:
            return f"the output '{name}'"
    return ""
