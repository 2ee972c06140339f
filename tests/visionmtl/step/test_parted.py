"""Batch normalisations that learn with the statistics they have."""

import keras
import numpy as np
import pytest
import toys

from visionmtl.errors import UsageError
from visionmtl.layers import FusedBatchNormalization


def normalisations(model):
    return {each.name: each for each in model._flatten_layers() if isinstance(each, keras.layers.BatchNormalization)}


def test_a_part_keeps_its_statistics_and_uses_them_while_its_weights_learn(tmp_path):
    tasks = toys.tasks("ground")
    model, images = toys.model(tasks), toys.batch(tasks)
    model.compile(keras.optimizers.SGD(0.1), freeze_statistics=["backbone"])
    found = normalisations(model)
    before = {name: [np.array(v) for v in each.variables] for name, each in found.items()}
    model.fit(images[0], images[1], 4, sample_weight=images[2], verbose=0)
    backbone = [name for name in found if name.startswith("normalisation_") and name[-1].isdigit()]
    assert backbone
    for name, each in found.items():
        names = [variable.name for variable in each.variables]
        moved = {n: not np.array_equal(old, v) for n, old, v in zip(names, before[name], each.variables, strict=True)}
        assert moved["moving_mean"] == moved["moving_variance"] == (name not in backbone)
        assert moved["gamma"]
    model.save(tmp_path / "model.keras")
    again = normalisations(keras.saving.load_model(tmp_path / "model.keras"))
    assert [name for name, each in again.items() if each.freezes_statistics] == backbone


def test_statistics_that_stay_normalise_in_training_as_in_prediction():
    layer = FusedBatchNormalization()
    images = np.random.default_rng(0).normal(size=(2, 3, 3, 4)).astype("float32")
    layer.build(images.shape)
    layer.freezes_statistics = True
    np.testing.assert_array_equal(layer(images, training=True), layer(images, training=False))


def test_a_part_without_batch_normalisation_is_refused_and_so_is_one_that_is_not_there():
    model = toys.model(toys.tasks("scene"))
    with pytest.raises(UsageError, match="'scene', in which no layer is a batch normalisation"):
        model.compile(freeze_statistics=["scene"])
    with pytest.raises(UsageError, match="Did you mean 'backbone'"):
        model.compile(freeze_statistics=["backbon"])
