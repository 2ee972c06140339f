"""SavedModels run by TensorFlow, which decodes pictures within their graphs."""

import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from visionmtl.serving.limits import Limits
from visionmtl.serving.runtimes._looking import looked_at
from visionmtl.serving.runtimes.runtime import Arrays, Labels, Prepared, Runtime, Signature, Tensor


class SavedModel(Runtime):
    """TensorFlow."""

    rank = 1
    files: ClassVar = {"float32": "saved_model.pb"}
    needs = ("tensorflow",)

    def __init__(self, file: Path, labels: Labels):
        import tensorflow as tf
        from tensorflow.core.framework import types_pb2
        from tensorflow.core.protobuf import saved_model_pb2

        def tensor(given: object) -> Tensor:
            shape = given.tensor_shape  # type: ignore[attr-defined]
            sizes = None if shape.unknown_rank else tuple(each.size for each in shape.dim)
            return Tensor(types_pb2.DataType.Name(given.dtype), sizes, given.name)  # type: ignore[attr-defined]

        self.module = tf.saved_model.load(os.fspath(file.parent))  # kept, for its signatures do not keep its variables
        self.functions = dict(self.module.signatures)
        saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
        described = saved.meta_graphs[0].signature_def
        self.signatures = {
            name: Signature(*({key: tensor(each) for key, each in side.items()} for side in (own.inputs, own.outputs)))
            for name, own in described.items()
            if name in self.functions
        }

    def prepare(self, inputs: Arrays, limits: Limits) -> Prepared:
        return looked_at(inputs, limits)

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        import tensorflow as tf

        types = {name: tf.string for name, values in inputs.items() if values.dtype == np.object_}
        given = {name: tf.constant(values, types.get(name)) for name, values in inputs.items()}
        outputs = {name: values.numpy() for name, values in self.functions[signature](**given).items()}
        return {name: _texts(values) if values.dtype == np.object_ else values for name, values in outputs.items()}


def _texts(values: np.ndarray) -> np.ndarray:
    """Return bytes as text."""
    texts = np.empty(values.shape, np.object_)
    for place, value in np.ndenumerate(values):
        texts[place] = value.decode(errors="replace") if isinstance(value, bytes) else value
    return texts
