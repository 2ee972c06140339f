"""Whether a data set can be made by another process: all of it is in TensorFlow's graph, and nothing in Python's."""

import tensorflow as tf
from tensorflow.core.framework import graph_pb2

from pipelines.errors import DataError

OPS = ("PyFunc", "PyFuncStateless", "EagerPyFunc")


def has_python(data: tf.data.Dataset) -> bool:
    """Return whether a data set calls Python functions, which no other process has."""
    variant = data._variant_tensor
    written = tf.raw_ops.DatasetToGraphV2(input_dataset=variant, external_state_policy=1, strip_device_assignment=True)
    graph = graph_pb2.GraphDef.FromString(written.numpy())
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    return any(node.op in OPS for node in nodes)


def check(data: tf.data.Dataset) -> None:
    """Refuse a data set that other processes cannot make.

    Raises:
        DataError: it calls Python functions.
    """
    if has_python(data):
        raise DataError(
            "data.service has data workers read what is in TensorFlow's graph, but some of this data is read in Python:"
            " pictures that Pillow reads, masks painted from outlines, or TFDS. Set data.cache_folder to a folder that"
            " all machines see, into which the data is then packed once, or leave data.service out."
        )
