"""ONNX: the whole of serving, from pixels to predictions in them, for ONNX Runtime and what else reads it."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl import images
from visionmtl.errors import UsageError
from visionmtl.export import freezing
from visionmtl.export.format import Format, Serving, Signature, Tensor, least_scores, refuse_half
from visionmtl.export.requests import Predictions, answer_pixels
from visionmtl.model import MultiTaskModel

OPSET = 18  # the newest that tf2onnx writes
AXES = ("batch", "height", "width")  # of what is of no fixed size, by its place

RUNNER = """
sys.modules |= dict.fromkeys(("tensorflow", "tf2onnx", "onnx"))
import onnxruntime
session = onnxruntime.InferenceSession(f"{folder}/{file}")
names = [each.name for each in session.get_outputs()]
def answer(images, least=None):
    given = [] if least is None else session.get_overridable_initializers()
    confidences = {each.name: np.full(each.shape, least, "float32") for each in given}
    return dict(zip(names, session.run(None, {"images": images, **confidences})))
"""


class Onnx(Format):
    """An ONNX model that ONNX Runtime runs alone, from pixels to boxes and class maps.

    `model.onnx`, of opset 18, is what `serving_default` of a SavedModel is:
    - `images` uint8 `[batch, height, width, 3]`, RGB, of any batch (but for `serving.batch`) and size, upright, in;
    - `<task>_<prediction>` in the pixels of the pictures, and `image_sizes` int32 `[batch, 2]`, out;
    - `<task>_confidence` float32 `[C]`, of a task that finds objects, is an input that may be left out: the least score
      of each class, by default that of `serving`.
    """

    extra = "onnx"
    needs = ("onnx", "tf2onnx", "onnxruntime")
    files = ("model.onnx",)
    runner = RUNNER

    def write(self, model: MultiTaskModel, folder: Path, serving: Serving) -> None:
        import onnx

        refuse_half(model, "an ONNX model")
        least = {f"{task}_confidence": least_scores(model, task, serving) for task in model.confidences}
        converted = _converted(_answer(model, serving), least, serving.batch)
        _check(converted)
        _name_axes(converted.graph)
        for name, value in least.items():  # an input that has a value may be left out
            constant = onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, [len(value)], value)
            converted.graph.initializer.append(constant)
        onnx.save(converted, folder / "model.onnx")

    def signatures(self, folder: Path) -> dict[str, Signature]:
        import onnx

        def tensor(value: Any) -> Tensor:
            kind = value.type.tensor_type
            dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name
            return Tensor(value.name, dtype, [axis.dim_value or -1 for axis in kind.shape.dim])

        graph = onnx.load(folder / self.file).graph
        constants = {each.name for each in graph.initializer}
        inputs, outputs = ([tensor(each) for each in side] for side in (graph.input, graph.output))
        optional = [each.name for each in inputs if each.name in constants]
        return {"serving_default": Signature(inputs, outputs, optional)}


def _answer(model: MultiTaskModel, serving: Serving) -> Any:
    """Return a function of pictures and of the confidences of each task that finds objects."""
    answer = answer_pixels(model, serving.resize)

    def of(pictures: tf.Tensor, *confidences: tf.Tensor) -> Predictions:
        batch = tf.shape(pictures)[0]
        by_task = zip(model.confidences, confidences, strict=True)
        with images.plainly(sparing=True):
            return answer(pictures, {task: tf.tile(values[None], (batch, 1)) for task, values in by_task})

    return of


def _converted(answer: Any, least: dict[str, list[float]], batch: int | None) -> Any:
    """Return the ONNX model of a function of pictures and confidences."""
    import tf2onnx

    given = [tf.TensorSpec((batch, None, None, 3), tf.uint8, name="images")]
    given += [tf.TensorSpec((len(value),), tf.float32, name=name) for name, value in least.items()]
    traced = tf.function(answer, autograph=False).get_concrete_function(*given)
    constant = freezing.frozen(traced, freezing.GRADIENT, freezing.COMPILED)
    names = [each.name for each in given]
    function = tf.function(lambda *values: constant(**dict(zip(names, values, strict=True))), autograph=False)
    with _quiet():
        converted, _ = tf2onnx.convert.from_function(
            function, input_signature=given, opset=OPSET, custom_op_handlers={"Erfc": (_erfc, [])}
        )
    return converted


def _erfc(graph: Any, node: Any, name: str, given: Any) -> None:
    """Write `erfc(x)`, of which GELU is made and which ONNX does not have, as `1 - erf(x)`."""
    one = graph.make_const(f"{name}_one", np.array(1, np.float32))
    shapes, dtypes, inputs, outputs = node.output_shapes, node.output_dtypes, list(node.input), list(node.output)
    graph.remove_node(node.name)
    erf = graph.make_node("Erf", inputs)
    graph.make_node("Sub", [one.output[0], erf.output[0]], name=name, outputs=outputs, shapes=shapes, dtypes=dtypes)


def _check(converted: Any) -> None:
    """Refuse what runtimes would: tf2onnx leaves in place what it cannot convert.

    Raises:
        UsageError: there is an operation that ONNX does not have, or the model is not valid.
    """
    import onnx

    strange = sorted({node.op_type for node in converted.graph.node if not onnx.defs.has(node.op_type, node.domain)})
    if strange:
        raise UsageError(
            f"The model cannot be written as ONNX, which has no operation {', '.join(strange)}: let its task decode"
            " without, or export another format."
        )
    onnx.checker.check_model(converted, full_check=True)


def _name_axes(graph: Any) -> None:
    """Say what the axes of no fixed size are, of what goes in and comes out."""
    for value in (*graph.input, *graph.output):
        for name, axis in zip(AXES, value.type.tensor_type.shape.dim, strict=False):
            if not axis.dim_value:
                axis.dim_param = name


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let tf2onnx say only what fails."""
    logger = logging.getLogger("tf2onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
