"""Parts that are computed again on the way back train as those whose results are kept."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from cases import few

from visionmtl.errors import UsageError
from visionmtl.step.remat import Rematerialised


def backbone():
    """The toy backbone with dropout."""
    keras.utils.set_random_seed(0)
    image = x = keras.Input((32, 32, 3), name="image")
    features = {}
    for level in (1, 2, 3):
        x = keras.layers.Conv2D(8, 3, strides=2, padding="same", name=f"convolution_{level}")(x)
        x = keras.layers.BatchNormalization(momentum=0.5, name=f"normalisation_{level}")(x)
        x = keras.layers.Dropout(0.5, seed=level, name=f"dropout_{level}")(keras.layers.ReLU()(x))
        features[f"P{level}"] = x
    features.pop("P1")
    return keras.Model(image, features, name="toy")


def trained(remat, balancing="equal", place=None, tasks=("scene", "ground"), **options):
    """A model after two steps, and what all of its variables are."""
    of = toys.tasks(*tasks)
    with (place or tf.distribute.get_strategy()).scope():
        model = toys.model(of, backbone=backbone())
        model.compile(keras.optimizers.SGD(0.05), balancing=balancing, remat=remat, **options)
    model.fit(tf.data.Dataset.from_tensors(toys.batch(of)).repeat(2), shuffle=False, verbose=0)
    return model, [keras.ops.convert_to_numpy(variable) for variable in model.variables]


CASES = {
    "eagerly": (["backbone", "neck", "ground"], {"balancing": "uncertainty", "run_eagerly": True}),
    "in graph": (["backbone", "neck", "ground"], {"balancing": "uncertainty"}),
    "once a task": (["P2"], {"balancing": {"method": "cagrad"}}),
    "cut at features": (["backbone", "neck"], {"balancing": {"method": "cagrad", "scope": "features"}}),
    "two devices": (["P2", "neck"], {"tasks": ["scene"]}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", few(CASES, keep=["eagerly"]))
def test_what_is_computed_again_trains_as_what_is_kept(case, two_devices):
    parts, options = CASES[case]
    if case == "two devices":
        options = options | {"place": tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())}
    (_, kept), (model, again) = trained([], **options), trained(parts, **options)
    assert any(isinstance(vars(layer).get("call"), Rematerialised) for layer in model.layers)
    for variable, one, other in zip(model.variables, kept, again, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=variable.path)


@pytest.mark.slow
def test_the_forward_pass_is_run_twice_only_where_gradients_are_wanted_and_not_after_another_compile(tmp_path):
    model = toys.model(toys.tasks("scene"))
    runs = []
    stage = model.get_layer("toy_P2")
    inner = next(layer for layer in stage.layers if layer.name.startswith("convolution"))
    usual = inner.call
    vars(inner)["call"] = lambda *args, **kwargs: runs.append(1) or usual(*args, **kwargs)
    images, labels, weights = toys.batch(toys.tasks("scene"))
    for remat, times in (["backbone"], 2), ([], 1):
        model.compile("sgd", remat=remat, run_eagerly=True)
        runs.clear()
        model.train_on_batch(images, labels, weights)
        assert len(runs) == times
        runs.clear()
        model.predict_on_batch(images)
        assert len(runs) == 1
    model.compile("sgd", remat=["P2"])
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").compiled_with["remat"] == ["P2"]


def test_a_part_that_has_nothing_within_or_is_not_there_is_refused():
    model = toys.model(toys.tasks("scene"))
    with pytest.raises(UsageError, match="remat has 'scene', in which no layer holds others"):
        model.compile(remat=["scene"])
    with pytest.raises(UsageError, match="Did you mean 'backbone'"):
        model.compile(remat=["backbon"])


def test_keras_s_own_scope_moves_statistics_twice_which_is_why_there_is_another():
    images, means = tf.Variable(tf.ones((4, 3))), []
    for mode in (None, "full"):
        with keras.RematScope(mode=mode):
            layer = keras.layers.BatchNormalization(momentum=0.5)
            layer.build((None, 3))
            with tf.GradientTape() as tape:
                made = layer(images, training=True)
            tape.gradient(made, images)
        means.append(float(layer.moving_mean[0]))
    assert means == [0.5, 0.75]
