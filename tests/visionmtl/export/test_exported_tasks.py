"""An export of some tasks: no operation and no weight of the others, in any format, but what the sharing mixes in."""

import json

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from visionmtl import export, keras_graph, sharing
from visionmtl.errors import UsageError
from visionmtl.export import narrowing

MIXING = {
    "cascade",
    "cross_stitch",
    "distillation",
    "fusion",
    "hierarchical",
    "mti_net",
    "nddr",
    "sluice",
    "task_tokens",
}


def weights(layers):
    """How many weights layers have."""
    return sum(int(np.prod(weight.shape)) for layer in layers for weight in layer.weights)


def operations(folder):
    """The names of all operations of a SavedModel."""
    library = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def.library
    return [node.name for function in library.function for node in function.node_def]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", few(sharing.names(), keep=["hard", "cross_stitch"]))
def test_nothing_of_other_tasks_is_in_it_but_what_the_scheme_mixes_in(toy_model, tmp_path, capsys, scheme):
    model = narrowing.settled(toy_model(sharing=scheme))  # of what a scheme chose among, the rest is no task's
    capsys.readouterr()
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
@pytest.mark.parametrize("format", export.names())
def test_every_format_has_the_weights_of_its_tasks_alone_and_says_what_the_model_says(toy_model, tmp_path, format):
    model = toy_model(sharing="distillation", neck={"channels": 24})
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype("uint8")
    sizes = {}
    for tasks in ("scene,objects,ground", "scene"):
        folder = export.save(model, tmp_path / tasks, tasks=tasks, format=format, pictures=[picture])
        assert [*json.loads((folder / "labels.json").read_text())] == tasks.split(",")
        (record,) = json.loads((folder / "export.json").read_text())["formats"].values()
        assert {each["output"].partition("_")[0] for each in record} == {*tasks.split(",")}
        written = (folder / path for path in export.FORMATS[format].files)
        sizes[tasks] = sum(path.stat().st_size for path in written if path.is_file())
        signature = (folder / "signature.json").read_text()
        assert ("ground_classes" in signature) == ("ground" in tasks)
        assert "ground" in tasks or "| ground |" not in (folder / "README.md").read_text()
    if format != "savedmodel":  # where weights lie in a folder, and are counted above
        spared = 4 * (model.count_params() - narrowing.network(model.subset("scene")).count_params())
        assert sizes["scene,objects,ground"] - sizes["scene"] >= spared


@pytest.mark.slow
def test_an_unknown_task_is_refused_with_those_there_are(toy_model, tmp_path):
    with pytest.raises(UsageError, match="Unknown task 'sceen'. Did you mean 'scene'"):
        export.save(toy_model(), tmp_path / "toy", tasks="ground,sceen")
    with pytest.raises(UsageError, match="name one or several of scene, objects, ground"):
        export.save(toy_model(), tmp_path / "toy", tasks="")
    assert not (tmp_path / "toy").exists()
