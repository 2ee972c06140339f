"""ONNX models run by ONNX Runtime."""

import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from visionmtl.serving import rows
from visionmtl.serving.runtimes._looking import IMAGES
from visionmtl.serving.runtimes._pixels import OfPixels
from visionmtl.serving.runtimes.runtime import Arrays, Labels, Tensor

FAULTS_ONLY = 3  # of ONNX Runtime's levels of logging: an input that has a value is worth no warning
TYPES = {
    "tensor(bool)": "DT_BOOL",
    "tensor(uint8)": "DT_UINT8",
    "tensor(int32)": "DT_INT32",
    "tensor(int64)": "DT_INT64",
    "tensor(float16)": "DT_HALF",
    "tensor(float)": "DT_FLOAT",
    "tensor(double)": "DT_DOUBLE",
}


class Onnx(OfPixels):
    """ONNX Runtime."""

    rank = 2
    files: ClassVar = {"float32": "model.onnx"}
    extra = "onnx"
    needs = ("onnxruntime",)

    def __init__(self, file: Path, labels: Labels):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = FAULTS_ONLY
        self.session = onnxruntime.InferenceSession(
            os.fspath(file), options, providers=onnxruntime.get_available_providers()
        )
        inputs = [*self.session.get_inputs(), *self.session.get_overridable_initializers()]
        self.one = next(each.shape[0] for each in inputs if each.name == IMAGES) == 1  # exported with a batch of 1
        self.confidences = {each.name: each.shape for each in inputs if each.name != IMAGES}
        self.outputs = {each.name: _tensor(each) for each in self.session.get_outputs()}
        self.describe(self.outputs, labels)

    def answer(self, images: np.ndarray, confidence: float | None) -> Arrays:
        given = dict[str, np.ndarray]()
        if confidence is not None:
            given |= {name: np.full(shape, confidence, np.float32) for name, shape in self.confidences.items()}
        batches = np.split(images, len(images)) if self.one else [images]
        parts = [self.session.run(None, {IMAGES: batch, **given}) for batch in batches]
        return rows.joined([dict(zip(self.outputs, part, strict=True)) for part in parts], ())  # all are of one size


def _tensor(given: object) -> Tensor:
    """Return an output as it is described."""
    shape = [each if isinstance(each, int) else -1 for each in given.shape]  # type: ignore[attr-defined]
    shape[:1] = [-1] * len(shape[:1])  # the batch
    return Tensor(TYPES[given.type], tuple(shape), given.name)  # type: ignore[attr-defined]
