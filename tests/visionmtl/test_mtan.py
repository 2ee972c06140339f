"""Multi-task attention: masks on the maps of one backbone."""

import keras
import numpy as np
import pytest

from visionmtl.errors import UsageError
from visionmtl.tasks import Classification, Segmentation

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
MAPS = [f"{task}_{level}" for task in ("scene", "ground") for level in ("P2", "P3")]


def tasks():
    return [Classification("scene", 3), Segmentation("ground", 3)]


def test_open_masks_give_hard_sharing(toy_model):
    hard, masked = toy_model(tasks()), toy_model(tasks(), sharing="mtan")
    random = np.random.default_rng(0)
    hard.set_weights([(weight + 1) * random.uniform(0.2, 0.8, weight.shape) for weight in hard.get_weights()])
    for layer in hard.layers:
        copies = [f"{task}_{layer.name}" for task in hard.tasks] if layer.name.startswith("neck") else [layer.name]
        for name in copies:
            masked.get_layer(name).set_weights(layer.get_weights())
    for one in MAPS:
        masked.get_layer(f"mtan_{one}_mask").set_weights([np.zeros((1, 1, 2, 8))])
        masked.get_layer(f"mtan_{one}_mask_normalisation").beta.assign(np.full(8, 30.0))
    outputs = masked(IMAGES)
    for key, tensor in hard(IMAGES).items():
        assert np.ptp(tensor) > 0.01
        np.testing.assert_allclose(outputs[key], tensor, rtol=1e-5, atol=1e-5)


def test_masks_start_open_and_read_what_their_task_looked_at_before(toy_model):
    model = toy_model(tasks(), sharing="mtan")
    masks = keras.Model(model.input, {one: model.get_layer(f"mtan_{one}_mask_sigmoid").output for one in MAPS})
    before = masks(IMAGES)
    for mask in before.values():
        assert np.mean(mask) == pytest.approx(0.9, abs=0.03)
    model.get_layer("mtan_scene_P2_mask_normalisation").beta.assign(np.full(8, -30.0))
    after = masks(IMAGES)
    assert np.max(after["scene_P2"]) < 1e-6
    assert np.abs(after["scene_P3"] - before["scene_P3"]).max() > 1e-3
    for one in ("ground_P2", "ground_P3"):
        np.testing.assert_array_equal(after[one], before[one])


def test_a_reduction_of_zero_is_refused(toy_model):
    with pytest.raises(UsageError, match="reduction=0: expected a whole number of at least 1"):
        toy_model(tasks(), sharing={"name": "mtan", "reduction": 0})
