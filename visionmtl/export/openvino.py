"""OpenVINO: the whole of serving, from pixels to predictions in them, for Intel's processors."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from visionmtl.export import onnx
from visionmtl.export.format import FLOAT32, Format, Serving, Signature, Tensor
from visionmtl.model import MultiTaskModel

RUNNER = """
sys.modules |= dict.fromkeys(("tensorflow", "tf2onnx", "onnx", "onnxruntime"))
import openvino
model = openvino.Core().compile_model(f"{folder}/{file}", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
def answer(images, least=None):
    return {output.get_any_name(): value for output, value in model({"images": images}).items()}
"""


class OpenVino(Format):
    """An OpenVINO model that its runtime runs alone, from pixels to boxes and class maps.

    `model.xml` with `model.bin`, or `model.float16.xml` with `model.float16.bin`, is what the ONNX model is:
    - `images` uint8 `[batch, height, width, 3]`, RGB, of any batch and size, upright, in;
    - `<task>_<prediction>` in the pixels of the pictures, and `image_sizes` int32 `[batch, 2]`, out.

    The confidences are those of `serving`: OpenVINO has no input that may be left out. "float16" stores the weights in
    half the size. In what precision it computes is for who loads it to say: where a processor has bfloat16, OpenVINO
    takes that unless `INFERENCE_PRECISION_HINT` is "f32".
    """

    extra = "openvino"
    needs = ("openvino", "tf2onnx", "onnx")
    precisions = (FLOAT32, "float16")
    files = ("model.xml", "model.float16.xml", "model.bin", "model.float16.bin")
    runner = RUNNER

    def write(self, model: MultiTaskModel, folder: Path, serving: Serving) -> None:
        import openvino

        with TemporaryDirectory() as place:
            onnx.Onnx().write(model, Path(place), serving)
            read = openvino.Core().read_model(Path(place, "model.onnx"))
            called = {name for value in (*read.inputs, *read.outputs) for name in value.get_names()}
            for operation in read.get_ops():  # of what lies between the runtime would take the names for an output's
                for output in operation.outputs():
                    output.get_tensor().set_names(output.get_names() & called)
            openvino.save_model(read, folder / self.file, compress_to_fp16=self.precision == "float16")

    def signatures(self, folder: Path) -> dict[str, Signature]:
        import openvino

        def tensor(value: Any) -> Tensor:
            sizes = [-1 if size.is_dynamic else size.get_length() for size in value.partial_shape]
            return Tensor(value.get_any_name(), value.element_type.to_dtype().name, sizes)

        read = openvino.Core().read_model(folder / self.file)
        return {
            "serving_default": Signature(
                [tensor(each) for each in read.inputs], [tensor(each) for each in read.outputs]
            )
        }

    @contextlib.contextmanager
    def with_all_objects(self, model: MultiTaskModel, folder: Path, serving: Serving) -> Iterator[Path]:
        with TemporaryDirectory() as place:
            self.write(model, Path(place), replace(serving, confidences=None))
            yield Path(place)
