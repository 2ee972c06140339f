"""SavedModels that TensorFlow alone can load: pictures of any size, or their encoded bytes, in; predictions out."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from visionmtl.export import features, warmup
from visionmtl.export.format import Format, Serving, Signature, Tensor, least_scores
from visionmtl.export.narrowing import network
from visionmtl.export.requests import Answer, Predictions, answer_bytes, answer_pixels, read_bytes
from visionmtl.model import MultiTaskModel

FEATURES = ("serving_features", "serving_features_bytes")

RUNNER = """
import tensorflow as tf
signatures = tf.saved_model.load(folder).signatures
def answer(images, least=None):
    if least is None or "serving_default_confidence" not in signatures:
        return signatures["serving_default"](images=tf.constant(images))
    confidence = tf.fill((len(images),), tf.cast(least, tf.float32))
    return signatures["serving_default_confidence"](images=tf.constant(images), confidence=confidence)
"""


class SavedModel(Format):
    """A SavedModel that needs TensorFlow and nothing else.

    Signatures, all of any batch size but for that of `serving`, with the predictions `<task>_<prediction>` of
    `model.predict`, but in the pixels of the pictures given, and `image_sizes` int32 `[B, 2]`, heights and widths:
    - `serving_default`: `images` uint8 `[B, H, W, 3]`, RGB, of any H and W, upright;
    - `serving_bytes`: `encoded` string `[B]`, JPEG, PNG, WebP or BMP files, each of a size of its own, turned upright
      by its EXIF orientation; class maps are padded with 255 to the largest, depth with 0. `errors` string `[B]` says
      which cannot be read and why, and is empty for all others. What stands for such a picture says nothing: a size of
      0, no object, probabilities of 0, padding.
    - `serving_default_confidence` and `serving_bytes_confidence`, where a task finds objects: the same, with an input
      `confidence` float32 `[B]` more, the least score of any class in a picture. The two above go by `serving`. They
      are signatures of their own since older TensorFlow Serving wants every input of a signature in a request.
    - `serving_features` of `images`, and `serving_features_bytes` of `encoded`: what the heads read, computed once for
      heads of one's own. The maps `P2` float32 `[B, h / 4, w / 4, C]` and so on are of the network's input `[h, w]`;
      where tasks read maps of their own, these are `<task>_P2`. `windows` float32 `[B, 4]` says where a picture lies in
      that input: y0, x0, y1, x1 as fractions of it.

    TensorFlow Serving asks itself the requests in `assets.extra` before it answers others.
    """

    files = ("saved_model.pb", "variables", "assets", "assets.extra", "fingerprint.pb")

    runner = RUNNER

    def write(self, model: MultiTaskModel, folder: Path, serving: Serving) -> None:
        module = tf.Module()
        # As they are: Keras's archive stores them twice.
        made = [network(model), *([features.network(model)] if model.features.named() else [])]
        variables = (variable for each in made for variable in each.variables)
        module.weights = list({id(variable): variable.value for variable in variables}.values())
        images = tf.TensorSpec((serving.batch, None, None, 3), tf.uint8, name="images")
        encoded = tf.TensorSpec((serving.batch,), tf.string, name="encoded")
        signatures = _signatures("serving_default", model, serving, images, answer_pixels(model, serving.resize))
        read = tf.function(read_bytes(model, serving.resize), input_signature=[encoded], autograph=False)
        signatures |= _signatures("serving_bytes", model, serving, encoded, answer_bytes(model, serving.resize, read))
        if model.features.named():  # a scheme of one's own may have heads that read none
            maps = features.of_pixels(model, serving.resize), features.of_bytes(model, read)
            for name, answer, given in zip(FEATURES, maps, (images, encoded), strict=True):
                signatures[name] = tf.function(answer, input_signature=[given], autograph=False)
        tf.saved_model.save(module, str(folder), signatures=signatures)
        warmup.write(folder, model.image_size)

    def signatures(self, folder: Path) -> dict[str, Signature]:
        from tensorflow.core.protobuf.saved_model_pb2 import SavedModel as Saved

        def tensors(side: Mapping[str, Any]) -> list[Tensor]:
            return [
                Tensor(name, tf.as_dtype(each.dtype).name, [axis.size for axis in each.tensor_shape.dim])
                for name, each in sorted(side.items())
            ]

        described = Saved.FromString((folder / self.file).read_bytes()).meta_graphs[0].signature_def
        return {
            name: Signature(tensors(own.inputs), tensors(own.outputs))
            for name, own in sorted(described.items())
            if not name.startswith("__")
        }


def _signatures(
    name: str, model: MultiTaskModel, serving: Serving, given: tf.TensorSpec, answer: Answer
) -> dict[str, Callable]:
    """Return the signature of this name, and the one to which a confidence is given too.

    Args:
        name: of the first.
        model: what is served.
        serving: its confidences.
        given: the pictures.
        answer: returns predictions for pictures, by confidences `[B, C]` of each task that finds objects.
    """
    sizes = {task: len(model.tasks[task].classes) for task in model.confidences}
    least = {task: [least_scores(model, task, serving)] for task in sizes}
    wanted = {task: tf.TensorSpec((serving.batch, classes), tf.float32) for task, classes in sizes.items()}
    shared = tf.function(answer, input_signature=[given, wanted], autograph=False)  # which both call

    def by_default(pictures: tf.Tensor) -> Predictions:
        batch = tf.shape(pictures)[0]
        return shared(pictures, {task: tf.tile(least[task], (batch, 1)) for task in sizes})

    def by_confidence(pictures: tf.Tensor, confidence: tf.Tensor) -> Predictions:
        return shared(pictures, {task: tf.tile(confidence[:, None], (1, classes)) for task, classes in sizes.items()})

    signatures = {name: tf.function(by_default, input_signature=[given], autograph=False)}
    if sizes:
        both = [given, tf.TensorSpec((serving.batch,), tf.float32, name="confidence")]
        signatures[f"{name}_confidence"] = tf.function(by_confidence, input_signature=both, autograph=False)
    return signatures
