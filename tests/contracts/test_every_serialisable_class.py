"""Every class that a saved model may name is made again from its config: with every argument, and with its weights."""

import importlib
import inspect
import json
import pkgutil

import keras
import numpy as np
import pytest
import toys

import visionmtl


def classes():
    """Return the classes that visionmtl registers with Keras, by the name under which models are saved."""
    for module in pkgutil.walk_packages(visionmtl.__path__, "visionmtl."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    registered = keras.saving.get_custom_objects().items()
    return {name.removeprefix("visionmtl>"): one for name, one in registered if name.startswith("visionmtl>")}


def balanced():
    """A model of two outputs on tables."""
    x = keras.Input((3,))
    return visionmtl.BalancedModel(x, {name: keras.layers.Dense(1, name=name)(x) for name in ("one", "other")})


CLASSES = classes()
# What cannot be made without arguments, or has some that differ from their defaults only if given.
MADE = {
    "BalancedModel": balanced,
    "MultiTaskModel": lambda: toys.model(toys.tasks("scene", "objects"), sharing="cross_stitch", frozen=["neck"]),
    "Classification": {"name": "c", "classes": ["x", "y"], "multi_label": True, "dropout": 0.1, "label_smoothing": 0.2},
    "Depth": {"name": "d", "channels": 4, "invariance": 0.25, "farthest": 80.0, "dropout": 0.1},
    "Detection": {"name": "d", "classes": 2, "channels": 4, "depth": 1, "box_weight": 1.0, "distance_weight": 0.1}
    | {"quality": True, "towers": "apart", "normaliser": "batch", "extra_levels": 1, "end_to_end": True}
    | {"assignment": {"candidates": 5, "score_power": 1, "overlap_power": 4, "region": 3, "closeness": "nwd"}},
    "Segmentation": {"name": "s", "classes": 3, "channels": 4, "dice": 0.25, "dropout": 0.1, "label_smoothing": 0.2}
    | {"class_weights": {"0": 3.0}, "boundary": 2.0, "hard": 0.5, "auxiliary": 0.4, "upsampling": "guided"}
    | {"favour": {"1": 2.0}},
    "GradientBalancer": {"method": "cagrad", "c": 0.3, "scope": "features", "update_every": 2, "seed": 3},
    "ConvBlock": {"channels": 4, "kernel_size": 5, "strides": 2, "separable": False, "activation": "tanh"},
    "SharedBlock": {"channels": 4, "levels": ["P2", "P3"]},
    "LocalisationQuality": {"bins": 8, "hidden": 4, "start": 0.7},
    "CrossStitch": {"units": "layer", "own": 0.7, "rate": 2.0},
    "SubspaceStitch": {"subspaces": 4, "own": 0.7, "speed": 2.0},
    "LevelMixture": {"own": 0.7, "speed": 2.0},
    "UncertaintyWeighting": {"regression": [True, False]},
    "Expert": {"levels": ["P2", "P3"], "scale": 0.3},
    "Message": {"separable": False},
    "Parameters": {"shapes": {"P2_0": [2, 3]}},
    "RunningMean": {"axes": 2, "momentum": 0.5},
    "Selection": {"count": 5, "k": 3, "width": 0.5},
    "TaskEmbedding": {"dim": 4},
    "Router": {"experts": 4, "top": 2},
    "SharedPaths": {"ranks": [1, 2], "separable": False},
    "OwnPath": {"rank": 2, "separable": False},
    "TokenBlock": {"heads": 2},
    "MapAttention": {"heads": 2},
    "WindowAttention": {"heads": 2, "window": 3, "shifted": True},
    "Gathered": {"size": 2, "order": "columns"},
    "Positions": {"side": 3},
}
# What a layer is called on: shapes, and further arguments of the call.
MAP, TOKENS = (2, 8, 8, 4), (2, 3, 4)
CALLS = {
    "ConvBlock": (MAP, {}),
    "SharedBlock": (MAP, {"level": "P3"}),
    "DepthToSpace": (MAP, {}),
    "FusedBatchNormalization": (MAP, {}),
    "LocalisationQuality": ([MAP, (2, 8, 8, 32)], {}),
    "WeightedSum": ([MAP, MAP, MAP], {}),
    "GuidedUpsampling": ([MAP, (2, 8, 8, 6)], {}),
    "CrossStitch": ([MAP, MAP], {}),
    "SubspaceStitch": ([MAP, MAP], {}),
    "LevelMixture": ([MAP, (2, 4, 4, 4)], {}),
    "UncertaintyWeighting": ((5, 2), {}),
    "Expert": (MAP, {"level": "P3"}),
    "Mixture": ([(2, 2), MAP, MAP], {}),
    "StopGradient": (MAP, {}),
    "RunningMean": ((5, 3, 4), {}),
    "Selection": ((5, 4), {}),
    "Parameters": (MAP, {}),
    "TaskEmbedding": (MAP, {}),
    "RelativePositions": (MAP, {}),
    "Message": (MAP, {}),
    "Router": (MAP, {}),
    "SharedPaths": ([MAP, (2, 3)], {}),
    "OwnPath": ([MAP, (2, 3), MAP, MAP], {}),
    "TokenBlock": ([TOKENS, (2, 6, 4)], {}),
    "Condition": ([MAP, (2, 8, 8, 6), (2, 6)], {}),
    "MapAttention": ([MAP, (2, 4, 4, 4), (2, 4, 4, 4)], {}),
    "WindowAttention": ([MAP, MAP, MAP], {}),
    "Gathered": (MAP, {}),
    "Positions": (MAP, {}),
}
LEFT_OUT = {"MultiTaskModel": {"weights"}, "BalancedModel": {"inputs", "outputs"}}  # told by what is saved beside
NO_CALL = ("State",)  # holds variables for others


def make(name):
    how = MADE.get(name, {})
    try:
        return how() if callable(how) else CLASSES[name](**how)
    except TypeError as error:
        pytest.fail(f"Say in MADE how to make a {name}: {error}.")


def again(thing):
    """Return what a file would give back."""
    text = json.dumps(keras.saving.serialize_keras_object(thing))
    return keras.saving.deserialize_keras_object(json.loads(text))


def layers():
    """The names of the layers that are no model and no balancer, which have tests of their own."""
    other = (keras.Model, visionmtl.balancing.Balancer)
    return [name for name, cls in CLASSES.items() if issubclass(cls, keras.layers.Layer) and not issubclass(cls, other)]


def test_the_tables_name_what_is_there():
    assert not {*MADE, *CALLS, *LEFT_OUT, *NO_CALL} - {*CLASSES}


@pytest.mark.parametrize("name", CLASSES)
def test_it_is_made_again_from_its_config(name):
    thing = make(name)
    other = again(thing)
    assert type(other) is type(thing)
    assert plain(other.get_config()) == plain(thing.get_config())


@pytest.mark.parametrize("name", CLASSES)
def test_no_argument_is_left_out_of_its_config(name):
    parameters = inspect.signature(CLASSES[name].__init__).parameters.values()
    named = {one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    lost = named - {"self", "activity_regularizer", "autocast"} - LEFT_OUT.get(name, set()) - {*make(name).get_config()}
    assert not lost, f"made again, a {name} would have the defaults of these"


@pytest.mark.parametrize("name", [name for name, how in MADE.items() if not callable(how)])
def test_what_it_was_given_is_in_its_config(name):
    config = plain(make(name).get_config())
    for argument, value in MADE[name].items():
        if argument != "classes":  # a count becomes names
            assert config[argument] == plain(value), argument


@pytest.mark.parametrize("name", [name for name in layers() if name not in NO_CALL])
def test_a_layer_made_again_has_its_variables_and_computes_the_same(name):
    assert name in CALLS, f"Say in CALLS what a {name} is called on."
    shapes, options = CALLS[name]
    random = np.random.default_rng(0)
    given = keras.tree.map_shape_structure(lambda shape: random.uniform(0.1, 1, shape).astype("float32"), shapes)
    keras.utils.set_random_seed(0)
    layer = make(name)
    layer(given, **options)
    layer.set_weights([random.uniform(0.1, 1, weight.shape) for weight in layer.get_weights()])
    expected = layer(given, **options)

    other = again(layer)
    found = other(given, **options)
    assert [v.path for v in other.weights] == [v.path for v in layer.weights]
    assert [v.trainable for v in other.weights] == [v.trainable for v in layer.weights]
    other.set_weights(layer.get_weights())
    found = other(given, **options)
    keras.tree.map_structure(np.testing.assert_array_equal, found, expected)


def plain(value):
    """Return a config as JSON would give it back: lists for tuples."""
    return json.loads(json.dumps(value, default=str))
