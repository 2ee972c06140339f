"""A trained model for pictures of another size, with the same weights."""

import copy
from typing import Any

import keras

from visionmtl.errors import UsageError
from visionmtl.model.growing import take_weights
from visionmtl.model.multi_task import MultiTaskModel
from visionmtl.tasks import forms


def resized(model: MultiTaskModel, size: tuple[int, int]) -> MultiTaskModel:
    """Return a model with the same weights whose network takes pictures of another size.

    Args:
        model: a trained model; it stays as it is.
        size: height and width of the network's input in pixels, multiples of the backbone's last stride.

    Raises:
        UsageError: they are none, or a layer's weights depend on the size of the input.

    Example:
        >>> visionmtl.model.resizing.resized(model, (64, 96)).image_size
        (64, 96)
    """
    if tuple(size) == model.image_size:
        return model
    config = copy.deepcopy(model.get_config())  # Keras takes it apart as it reads it
    backbone = keras.saving.deserialize_keras_object(copy.deepcopy(config["backbone"]))
    if isinstance(backbone, keras.Model):
        config["backbone"] = keras.saving.serialize_keras_object(_of_size(backbone, size))
    made = MultiTaskModel.from_config(config | {"image_shape": [*size, 3]})
    _, left = take_weights(made, {"": model})
    if left:
        raise _depends(size, f"layer '{left[0]}'")
    return made


def _of_size(backbone: keras.Model, size: tuple[int, int]) -> Any:
    """Return a backbone of one's own on an input of another size, as yet with weights of its own.

    Raises:
        UsageError: its last stride does not divide the size, or a layer is made for one size.
    """
    deepest = list(backbone.output)[-1]
    stride = 2 ** int(deepest.removeprefix("P"))
    if any(side < stride or side % stride for side in size):
        raise UsageError(
            f"Image size {size[0]} x {size[1]} (height x width): both must be multiples of {stride}, the stride of"
            f" {deepest} of backbone '{backbone.name}'."
        )
    try:
        return keras.models.clone_model(backbone, input_tensors=keras.Input((*size, 3), name=forms.INPUT))
    except ValueError:
        raise _depends(size, f"backbone '{backbone.name}'") from None


def _depends(size: tuple[int, int], what: str) -> UsageError:
    """Return the sentence of what cannot be of another size."""
    return UsageError(
        f"The model cannot take pictures of {size[0]} x {size[1]}: the weights of {what} depend on the size it was"
        " trained at: leave the size, or train at this one."
    )
