"""The source "garments": scenes of the embedded sprites, made readable in graph."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from pipelines.contract import Request, Source, Split, Tree
from pipelines.errors import DataError
from pipelines.kinds.boxes import padded
from pipelines.kinds.spec import LabelSpec
from pipelines.sources.base import Format, option
from pipelines.sources.garments.scenes import draw_scene
from pipelines.sources.garments.script import GARMENTS, SPRITE, write_script
from pipelines.splits import SPLITS

DATA = Path(__file__).with_name("garments.npz")


@dataclass(frozen=True)
class Garments(Format):
    """The embedded data: endless scenes of real garments (Fashion-MNIST), labelled for all three tasks.

    One to four garments of different classes lie on a textured ground, drawn at the size asked for. Tasks: "detection"
    (boxes around what is visible of each garment), "segmentation" ("background" and the class of the topmost garment),
    and "classification": the class that covers most of the scene, which is that of the largest garment; the next covers
    at most four fifths of that. The splits share no garment. A scene follows from `scene_seed`, its split and its place
    in it alone, so that runs with different seeds are measured on the same pictures.
    """

    train: int = option(2000, "number of scenes in this split")
    validation: int = option(300, "likewise")
    test: int = option(300, "likewise")
    scene_seed: int = option(0, "another number gives other scenes")

    def read(self, request: Request) -> Source:
        """Write the script of the scenes; each is drawn when it is read."""
        if request.path is not None:
            raise DataError(
                "Source 'garments' is embedded and takes no path; for a folder name another source, as 'coco'."
            )
        if request.max_boxes < GARMENTS:
            raise DataError(f"Source 'garments' needs max_boxes of {GARMENTS} or more, not {request.max_boxes}.")
        counts = {name: getattr(self, name) for name in SPLITS}
        for name, count in counts.items():
            if not isinstance(count, int) or count < 1:
                raise DataError(
                    f"Option {name} of source 'garments' is {count!r}: expected a number of scenes above 0."
                )
        with np.load(DATA) as data:
            classes = tuple(data["classes"].tolist())
            sprites = {name: _sprites(data[f"{name}_images"], data[f"{name}_labels"]) for name in request.splits}
        specs = (
            LabelSpec("classification", "classification", classes),
            LabelSpec("detection", "detection", classes),
            LabelSpec("segmentation", "segmentation", ("background", *classes)),
        )
        seeds = {name: [self.scene_seed, SPLITS.index(name)] for name in request.splits}
        splits = {name: _split(sprites[name], seeds[name], counts[name], request) for name in request.splits}
        return Source(request.choose(specs), splits)


def _sprites(packed: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Unpack garments into premultiplied shade and opacity: float32 `[classes, garments, 28, 28, 2]`."""
    levels = np.stack([packed // 16, packed % 16], axis=-1).reshape(-1, SPRITE, SPRITE)
    opacity = (levels > 0).astype(np.float32)
    shade = np.maximum(levels.astype(np.float32) - 1.0, 0.0) / 14.0
    pictures = np.stack([shade, opacity], axis=-1)
    return np.stack([pictures[labels == label] for label in np.unique(labels)])


def _split(sprites: np.ndarray, seed: list[int], count: int, request: Request) -> Split:
    """Make the scenes of one split readable in graph."""
    areas = sprites[..., 1].mean(axis=(2, 3))
    script = write_script(seed, count, areas, request.image_size)
    lines, garments = {key: tf.constant(rows) for key, rows in script.items()}, tf.constant(sprites)

    def read(index: tf.Tensor) -> Tree:
        line = {key: tf.gather(values, index) for key, values in lines.items()}
        scene = draw_scene(line, garments, request.image_size)
        detection = padded(scene.boxes, scene.classes, request.max_boxes)
        labels = {"classification": scene.label, "detection": detection, "segmentation": scene.mask}
        labels = {name: label for name, label in labels.items() if request.wants(name)}
        return {"image": scene.image, "labels": labels, "weights": {name: tf.constant(1.0) for name in labels}}

    shapes = np.tile(np.array(request.image_size, np.int32), (count, 1))
    return Split(shapes, read, _follow, trusted=True)


def _follow(before: Tree, after: Tree, specs: dict[str, LabelSpec], indices: tf.Tensor) -> Tree:
    """After a crop, the class is the one that covers most of what is left; where no garment is left, it stays."""
    if not {"classification", "segmentation"} <= set(specs):
        return after
    shown, names = specs["segmentation"].classes, specs["classification"].classes
    ids = [shown.index(name) if name in shown else len(shown) for name in names]
    pixels = tf.reshape(after["segmentation"], [tf.shape(after["segmentation"])[0], -1])
    area = tf.math.bincount(pixels, minlength=len(shown), maxlength=len(shown), axis=-1)  # 255 is beyond, not counted
    area = tf.gather(tf.pad(area, [[0, 0], [0, 1]]), ids, axis=1)
    largest = tf.argmax(area, axis=1, output_type=tf.int32)
    return {**after, "classification": tf.where(tf.reduce_max(area, axis=1) > 0, largest, after["classification"])}
