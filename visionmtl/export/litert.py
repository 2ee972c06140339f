"""LiteRT, once TensorFlow Lite: the whole of serving, from pixels to predictions, on phones and small computers."""

import contextlib
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl import images
from visionmtl.errors import UsageError
from visionmtl.export import freezing, joining, narrowing
from visionmtl.export.format import FLOAT32, Format, Serving, Signature, Tensor, least_scores, refuse_half
from visionmtl.model import MultiTaskModel
from visionmtl.tasks import boxes

RUNNER = """
sys.modules |= dict.fromkeys(("tensorflow",))
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(model_path=f"{folder}/{file}")
signatures = interpreter.get_signature_list()
def answer(images, least=None):
    if least is None or "serving_default_confidence" not in signatures:
        return interpreter.get_signature_runner("serving_default")(images=images)
    run = interpreter.get_signature_runner("serving_default_confidence")
    inputs = {name: each["shape"] for name, each in run.get_input_details().items() if name != "images"}
    return run(images=images, **{name: np.full(shape, least, "float32") for name, shape in inputs.items()})
"""


class LiteRt(Format):
    """A LiteRT model that runs by its own operations alone, from pixels to boxes and class maps.

    `model.tflite`, or `model.<precision>.tflite`, answers one picture at a time; its signatures are:
    - `serving_default`: `images` uint8 `[1, height, width, 3]`, RGB, of any size, upright, in;
      `<task>_<prediction>` in the pixels of the picture, and `image_sizes` int32 `[1, 2]`, out;
    - `serving_default_confidence`, where a task finds objects: the same, with an input `<task>_confidence` float32
      `[C]` for each such task, the least score of each class.

    The network is of the precision; resizing, decoding and suppression are in float32 always. "float16" has weights of
    half the size, "dynamic" weights of a quarter, and computes most of it in whole numbers, "int8" all of it.
    """

    extra = "litert"
    needs = ("ai_edge_litert",)
    precisions = (FLOAT32, "float16", "dynamic", "int8")
    files = ("model.tflite", *(f"model.{precision}.tflite" for precision in precisions[1:]))
    runner = RUNNER

    def write(self, model: MultiTaskModel, folder: Path, serving: Serving) -> None:
        refuse_half(model, "a LiteRT model")
        if self.precision == "int8" and not len(self.calibration):
            raise UsageError(
                "A LiteRT model of int8 is calibrated on pictures, and none are given: give some of the training split."
            )
        predicting = narrowing.network(model)
        network = tf.function(lambda fitted: dict(predicting(fitted, training=False)), autograph=False)
        network = network.get_concrete_function(tf.TensorSpec((1, *model.image_size, 3), tf.float32, name="fitted"))
        parts = [
            _converted(_before(model, serving)),
            _converted(network, self._reduce(model, serving)),
            _converted(_after(model, serving, network.structured_outputs)),
        ]
        least = {
            f"{task}_confidence": np.asarray(least_scores(model, task, serving), np.float32)
            for task in model.confidences
        }
        signatures = {"serving_default": least, "serving_default_confidence": {}}
        if not least:
            del signatures["serving_default_confidence"]
        (folder / self.file).write_bytes(joining.joined(parts, signatures))

    def signatures(self, folder: Path) -> dict[str, Signature]:
        from ai_edge_litert.interpreter import Interpreter

        def tensors(details: Mapping[str, Any]) -> list[Tensor]:
            return [
                Tensor(name, np.dtype(each["dtype"]).name, each["shape_signature"].tolist())
                for name, each in details.items()
            ]

        interpreter = Interpreter(model_path=str(folder / self.file))
        asked = {name: interpreter.get_signature_runner(name) for name in interpreter.get_signature_list()}
        return {
            name: Signature(tensors(each.get_input_details()), tensors(each.get_output_details()))
            for name, each in asked.items()
        }

    def _reduce(self, model: MultiTaskModel, serving: Serving) -> Callable[[Any], None]:
        """Return what sets a converter to the precision."""

        def fitted() -> Iterator[list[np.ndarray]]:
            for picture in self.calibration:
                yield [images.fit(tf.constant(picture[None]), model.image_size, serving.resize)[0].numpy()]

        def reduce(converter: Any) -> None:
            if self.precision == FLOAT32:
                return
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if self.precision == "float16":
                converter.target_spec.supported_types = [tf.float16]
            elif self.precision == "int8":
                converter.representative_dataset = fitted

        return reduce


def _before(model: MultiTaskModel, serving: Serving) -> Any:
    """Return the function from a picture to the network's input."""

    def before(pictures: tf.Tensor) -> dict[str, tf.Tensor]:
        fitted, window = images.fit(pictures, model.image_size, serving.resize)
        placed = {} if serving.resize == "stretch" else {"window": window}
        fitted = tf.reshape(fitted, (1, *model.image_size, 3))  # of a size that is known as the network is prepared
        return placed | {"fitted": fitted, "size": tf.shape(pictures)[1:3]}

    given = tf.TensorSpec((1, None, None, 3), tf.uint8, name="images")
    with images.plainly():
        return tf.function(before, autograph=False).get_concrete_function(given)


def _after(model: MultiTaskModel, serving: Serving, outputs: Mapping[str, tf.Tensor]) -> Any:
    """Return the function from the network's outputs to predictions."""

    def after(size: tf.Tensor, window: tf.Tensor | None, raw: Mapping, least: Mapping) -> dict[str, tf.Tensor]:
        sure = {task: values[None] for task, values in least.items()}
        return model.decode(raw, size, window, sure) | {"image_sizes": size[None]}

    raw = {name: tf.TensorSpec(each.shape, each.dtype, name=name) for name, each in outputs.items()}
    window = None if serving.resize == "stretch" else tf.TensorSpec((4,), tf.float32, name="window")
    least = {
        task: tf.TensorSpec((len(model.tasks[task].classes),), tf.float32, name=f"{task}_confidence")
        for task in model.confidences
    }
    with images.plainly(), boxes.class_by_class():
        given = (tf.TensorSpec((2,), tf.int32, name="size"), window, raw, least)
        return tf.function(after, autograph=False).get_concrete_function(*given)


def _converted(function: Any, reduce: Callable[[Any], None] = lambda converter: None) -> bytes:
    """Return the LiteRT model of a concrete function that returns tensors by name.

    Raises:
        UsageError: it has an operation that LiteRT has not.
    """
    held = tf.Module()
    held.function = freezing.frozen(function, freezing.GRADIENT)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([held.function], held)
    reduce(converter)
    try:
        with _quiet():
            return converter.convert()
    except Exception as error:  # the converter's own class of error is not public
        strange = sorted(
            {name for found in re.findall(r"(?:Select|Custom) ops: (.+)", str(error)) for name in found.split(", ")}
        )
        if not strange:
            raise
        raise UsageError(
            f"The model cannot be written for LiteRT, which has no operation {', '.join(strange)}: let its task decode"
            " without, or export another format."
        ) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let the converter say only what fails, which it does by raising; its C++ writes to the process's error stream."""
    logger = logging.getLogger("absl")
    before, stream = logger.level, os.dup(2)
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), open(os.devnull, "wb") as nowhere:
            warnings.simplefilter("ignore")
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(stream, 2)
        os.close(stream)
        logger.setLevel(before)
