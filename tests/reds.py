"""A model without weights that finds what is red: predictions that are known, at no cost."""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from visionmtl import images
from visionmtl.tasks import Classification, Depth, Detection, Segmentation


class Reds:
    """Stands for a `MultiTaskModel` where one is only called and decoded.

    Args:
        *names: its tasks, of "objects" (the red area, and a second guess beside it), "ground" (1 where it is red),
            "scene" and "weather" (by brightness), and "range"; all where none is named.
    """

    weights, resize = (), "stretch"

    def __init__(self, *names, size=(32, 48)):
        made = {
            "objects": Detection("objects", ["cat", "dog"]),
            "ground": Segmentation("ground", ["floor", "red"]),
            "scene": Classification("scene", ["dark", "light"]),
            "weather": Classification("weather", ["dry", "wet"], multi_label=True),
            "range": Depth("range"),
        }
        self.image_size, self.tasks = size, {name: made[name] for name in names or made}
        self.confidences = {name: None for name, task in self.tasks.items() if task.annotates}

    def __call__(self, pictures, training=False):
        red = pictures[..., 0] - pictures[..., 1] > 100
        return {"red": tf.cast(red, tf.float32), "mean": tf.reduce_mean(pictures, (1, 2, 3)) / 255}

    def decode(self, outputs, image_size=None, window=None):
        size = self.image_size if image_size is None else image_size
        red, mean = outputs["red"], outputs["mean"]
        area = images.crop_resize(red[..., None], size, window)[..., 0]
        light = tf.stack([1 - mean, mean], axis=-1)
        found = _boxes(red > 0, mean)
        found |= {"boxes": images.map_boxes(found["boxes"], self.image_size, size, window)}
        predictions = {
            "objects": found,
            "ground": {"classes": tf.cast(area > 0.5, tf.int32)},
            "scene": {"probabilities": light},
            "weather": {"probabilities": light},
            "range": {"depth": area + 1},
        }
        return {f"{name}_{key}": value for name in self.tasks for key, value in predictions[name].items()}


def _boxes(red, mean):
    """The box around what is red in each picture, and one moved by 5 pixels, of the other class."""

    def ends(line):
        line = tf.cast(line, tf.int32)
        return tf.argmax(line, axis=1), line.shape[1] - tf.argmax(tf.reverse(line, [1]), axis=1)

    (top, bottom), (left, right) = ends(tf.reduce_any(red, axis=2)), ends(tf.reduce_any(red, axis=1))
    box = tf.cast(tf.stack([left, top, right, bottom], axis=-1), tf.float32)
    count = tf.fill([tf.shape(red)[0]], 2)
    return {
        "boxes": tf.stack([box, box + tf.constant([5.0, 0.0, 5.0, 0.0])], axis=1),
        "scores": tf.stack([1 - mean / 2, mean / 3], axis=-1),
        "classes": tf.tile(tf.constant([[0, 1]]), [count.shape[0] or tf.shape(red)[0], 1]),
        "count": count,
    }


def picture(path: Path, size=(40, 60), box=(10, 5, 30, 25), grey=90) -> Path:
    """Write a grey picture with a red box; return its path."""
    pixels = np.full((*size, 3), grey, np.uint8)
    x_min, y_min, x_max, y_max = box
    pixels[y_min:y_max, x_min:x_max] = (230, 30, 30)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def truncated(path: Path) -> Path:
    """Write a picture whose header is whole and whose pixels are not; return its path."""
    whole = picture(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return path


def records(path: Path) -> dict[str, dict]:
    """Return the records of predictions by the names of their pictures."""
    return {record["name"]: record for record in map(json.loads, path.read_text().splitlines())}
