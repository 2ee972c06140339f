"""A function of constants alone, as converters to other runtimes take it."""

import itertools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

GRADIENT = "_gradient_op_type"  # of an operation that has one of its own, such as SiLU: no such function can be saved
COMPILED = "_XlaMustCompile"  # of what is to be compiled whole, as grouped convolutions are
COUNTER = itertools.count()


def frozen(function: Any, *without: str) -> Any:
    """Return a concrete function that takes and gives the same by the same names, and has no variables.

    Args:
        function: a concrete function of tensors, each of a name, that returns some by name.
        without: the attributes of operations that the converter cannot do with.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    constant = convert_variables_to_constants_v2(function, lower_control_flow=False)
    graph = _plain(constant.graph.as_graph_def(), without)
    inputs, outputs = ([each.name for each in side] for side in (constant.inputs, constant.outputs))
    whole = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
    plain = whole.prune(inputs, outputs)
    names = [name.partition(":")[0] for name in inputs]

    def named(**given: tf.Tensor) -> Any:
        return tf.nest.pack_sequence_as(function.structured_outputs, plain(*(given[name] for name in names)))

    specs = {name: tf.TensorSpec(each.shape, each.dtype) for name, each in zip(names, constant.inputs, strict=True)}
    return tf.function(named, autograph=False).get_concrete_function(**specs)


def _plain(graph: Any, without: Sequence[str]) -> Any:
    """Return a graph without some attributes; its inner functions get new names, for they change."""
    functions, number = graph.library.function, next(COUNTER)
    renamed = {inner.signature.name: f"{inner.signature.name}_plain_{number}" for inner in functions}
    for inner in functions:
        inner.signature.name = renamed[inner.signature.name]
    for node in (*graph.node, *(node for inner in functions for node in inner.node_def)):
        for value in node.attr.values():
            held = value.WhichOneof("value")
            for called in [value.func] if held == "func" else value.list.func if held == "list" else ():
                called.name = renamed.get(called.name, called.name)
    for changed in (*graph.node, *functions, *(node for inner in functions for node in inner.node_def)):
        for name in without:
            changed.attr.pop(name, None)
    return graph
