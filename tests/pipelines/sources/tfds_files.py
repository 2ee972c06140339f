"""Examples of TFDS data sets, written in their real file layout by TFDS's writer, and read again."""

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

import pipelines

tfds.core.utils.gcs_utils._is_gcs_disabled = True  # the builders of the tests ask the network for nothing
PHOTO = np.full((40, 60, 3), 90, np.uint8)
CUT = tf.io.encode_png(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)).numpy()[:4000]


def BBox(ymin, xmin, ymax, xmax):  # noqa: N802
    return tfds.features.BBox(*map(float, (ymin, xmin, ymax, xmax)))


def read(folder, name, split="train", size=(40, 60), **options):
    """Load a split at the size of its pictures; return the data sets and its batches of one, joined."""
    options = {"shuffle": False, "splits": [split], "max_boxes": 3, "slices": {split: split}, **options}
    data = pipelines.load("tfds", size, 1, path=folder, name=name, **options)
    batches = list(data.splits[split].as_numpy_iterator())
    return data, batches


def kinds(data):
    return {spec.name: (spec.kind, len(spec.classes)) for spec in data.specs}


def pet(label=4, box=(0.25, 0.5, 0.75, 1.0), values=(1, 2, 3), name="a.jpg"):
    trimap = np.full((40, 60, 1), values[1], np.uint8)
    trimap[:10, :20], trimap[:10, 20:30] = values[0], values[2]
    return {
        "image": PHOTO,
        "label": label,
        "species": 1,
        "file_name": name,
        "segmentation_mask": trimap,
        "head_bbox": BBox(*box),
    }


def voc(*objects, name="v.jpg"):
    rows = [
        {"label": label, "bbox": BBox(*box), "pose": 0, "is_truncated": False, "is_difficult": difficult}
        for label, box, difficult in objects
    ]
    return {"image": PHOTO, "image/filename": name, "objects": rows, "labels": [], "labels_no_difficult": []}


def writer(folder):
    """A function that writes examples of a TFDS data set as TFDS lays it out, and returns the data_dir."""

    def write(name, splits, names=None, file_format="tfrecord"):
        builder = tfds.builder(name, data_dir=folder, file_format=file_format)
        if names:
            feature, labels = names
            builder.info.features[feature]["label"].names = labels
        (folder / builder.data_dir).mkdir(parents=True)
        writer = tfds.core.SequentialWriter(builder.info, 2, file_format=file_format)
        writer.initialize_splits(list(splits))
        writer.add_examples(splits)
        writer.close_all()
        return folder

    return write
