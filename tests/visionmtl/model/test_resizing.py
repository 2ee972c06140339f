"""A trained model on pictures of another size: the same weights, or a sentence why not."""

import keras
import numpy as np
import pytest
import toys
from cases import few

from visionmtl import MultiTaskModel, sharing
from visionmtl.errors import UsageError
from visionmtl.model.resizing import resized


@pytest.mark.slow
@pytest.mark.parametrize("scheme", few(sharing.names(), keep=["hard"]))
def test_weights_are_carried_over_and_back_again_to_the_same_outputs(toy_model, scheme):
    model = toy_model(toys.tasks("scene", "objects"), sharing=scheme)
    model.resize, model.confidences = "letterbox", {"objects": 0.3}
    other = resized(model, (48, 64))
    assert other.image_size == (48, 64)
    assert (other.resize, other.confidences) == (model.resize, model.confidences)
    assert other.count_params() == model.count_params()
    images = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype("float32")
    again = resized(other, (32, 32))(images)
    for name, value in model(images).items():
        np.testing.assert_array_equal(again[name], value)


@pytest.mark.slow
def test_a_size_that_the_backbone_does_not_divide_is_refused(toy_model):
    with pytest.raises(UsageError, match="40 x 36 .* multiples of 8, the stride of P3 of backbone 'toy'"):
        resized(toy_model(), (40, 36))


@pytest.mark.slow
def test_weights_that_depend_on_the_size_are_told():
    backbone = toys.backbone()
    place = keras.layers.LayerNormalization(axis=[1, 2, 3], name="place")
    outputs = backbone.output | {"P3": place(backbone.output["P3"])}
    model = MultiTaskModel(toys.tasks("scene"), keras.Model(backbone.input, outputs, name="placed"), (32, 32, 3))
    with pytest.raises(UsageError, match="cannot take pictures of 48 x 64: the weights of layer 'placed_P3' depend"):
        resized(model, (48, 64))
