"""An export of some tasks: no operation and no weight of the others, in any format, but what the sharing mixes in."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from visionmtl import export, keras_graph, sharing
from visionmtl.errors import UsageError

MIXING = {"cascade", "cross_stitch", "distillation", "fusion", "hierarchical", "nddr", "sluice", "task_tokens"}


def weights(layers):
    """How many weights layers have."""
    return sum(int(np.prod(weight.shape)) for layer in layers for weight in layer.weights)


def operations(folder):
    """The names of all operations of a SavedModel."""
    library = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def.library
    return [node.name for function in library.function for node in function.node_def]


@pytest.mark.parametrize("scheme", few(sharing.names(), keep=["hard", "cross_stitch"]))
def test_nothing_of_other_tasks_is_in_it_but_what_the_scheme_mixes_in(toy_model, tmp_path, capsys, scheme):
    model = toy_model(sharing=scheme)
    needed = keras_graph.layers(model.raw_outputs("scene", model.output).values())
    folder = export.save(model, tmp_path / "toy", tasks="scene")
    stored = tf.train.list_variables(str(folder / "variables" / "variables"))
    assert sum(int(np.prod(shape)) for _, shape in stored) - 1 == weights(needed) < model.count_params()
    needed = {layer.name for layer in needed}
    others = {layer.name for layer in model._flatten_layers() if layer is not model} - needed
    others = {name for name in others if "objects" in name or "ground" in name}
    assert others
    inside = {word for name in operations(folder) for word in name.split("/")}
    assert not inside & others
    told = capsys.readouterr().out
    assert ("from what it computes for other tasks" in told) == (scheme in MIXING)
    assert any("objects" in word or "ground" in word for word in inside) == (scheme in MIXING)


@pytest.mark.slow
def test_what_lies_beside_it_speaks_of_its_tasks_alone_and_it_says_what_the_model_says(toy_model, tmp_path):
    model = toy_model()
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype("uint8")
    folder = export.save(model, tmp_path, tasks=["ground", "scene"], format=["savedmodel", "onnx"], pictures=[picture])
    assert [*json.loads((folder / "labels.json").read_text())] == ["ground", "scene"]
    record = json.loads((folder / "export.json").read_text())["formats"]
    outputs = {"ground_classes", "scene_probabilities"}
    assert [{each["output"] for each in found} for found in record.values()] == [outputs, outputs]
    served = tf.saved_model.load(folder).signatures
    assert {*served} == {"serving_default", "serving_bytes", "serving_features", "serving_features_bytes"}
    expected = model.predict(picture[None, :32, :32].astype("float32"), verbose=0)["scene_probabilities"]
    answer = served["serving_default"](images=tf.constant(picture[None, :32, :32]))
    np.testing.assert_allclose(answer["scene_probabilities"], expected, atol=1e-5)
    _no_weights_of_others_in_onnx(model, Path(folder, "model.onnx"))


def _no_weights_of_others_in_onnx(model, file):
    import onnx

    graph = onnx.load(file).graph
    shapes = {tuple(each.dims) for each in graph.initializer}
    assert not any("objects" in node.name for node in graph.node)
    assert (32, 8, 1, 1) not in shapes  # the sides of boxes


def test_an_unknown_task_is_refused_with_those_there_are(toy_model, tmp_path):
    with pytest.raises(UsageError, match="Unknown task 'sceen'. Did you mean 'scene'"):
        export.save(toy_model(), tmp_path / "toy", tasks="ground,sceen")
    with pytest.raises(UsageError, match="name some of scene, objects, ground"):
        export.save(toy_model(), tmp_path / "toy", tasks="")
    assert not (tmp_path / "toy").exists()
