"""The joint CamVid model against keras-cv's two single-task models: seconds a step, parameters and their ratios.

    python benchmarks/camvid.py --data DIR [--steps 6] [--rounds 5]

All three train on the same batches of the CamVid recipe's data (288 x 384, batch 8, Lite0 backbone, AdamW), in turn in
one process; a round is some steps of each, and the figures are medians over rounds. An epoch has as many steps for one
as for the other, so the ratio of steps is the ratio of trainings of equal epochs.
"""

import argparse
import itertools
import os
import statistics

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import interleaved
import keras
import keras_cv
import tensorflow as tf

from visionmtl import recipe
from visionmtl.report import tables
from visionmtl.training import building


def backbone(shape: tuple) -> keras.Model:
    """keras-cv's own EfficientNet-Lite0, as its models take it."""
    return keras_cv.models.EfficientNetLiteBackbone(
        include_rescaling=True,
        width_coefficient=1.0,
        depth_coefficient=1.0,
        stackwise_kernel_sizes=[3, 3, 5, 3, 5, 5, 3],
        stackwise_num_repeats=[1, 2, 2, 3, 3, 4, 1],
        stackwise_input_filters=[32, 16, 24, 40, 80, 112, 192],
        stackwise_output_filters=[16, 24, 40, 80, 112, 192, 320],
        stackwise_expansion_ratios=[1, 6, 6, 6, 6, 6, 6],
        stackwise_strides=[1, 2, 2, 2, 1, 2, 1],
        input_shape=shape,
    )


def deeplab(shape: tuple, classes: int) -> keras.Model:
    """keras-cv's DeepLabV3+ for segmentation."""
    model = keras_cv.models.DeepLabV3Plus(num_classes=classes, backbone=backbone(shape))
    model.compile(keras.optimizers.AdamW(1e-3), keras.losses.SparseCategoricalCrossentropy(ignore_class=255))
    return model


def retinanet(shape: tuple, classes: int) -> keras.Model:
    """keras-cv's RetinaNet for detection."""
    model = keras_cv.models.RetinaNet(num_classes=classes, bounding_box_format="xyxy", backbone=backbone(shape))
    model.compile(
        optimizer=keras.optimizers.AdamW(1e-3, global_clipnorm=10.0),
        classification_loss="focal",
        box_loss="smoothl1",
        metrics=None,
    )
    return model


def trainer(model: keras.Model, dataset: tf.data.Dataset, steps: int):
    """Return a function that trains so many steps, each time on the next batches."""
    turns = itertools.count()
    return lambda: model.fit(dataset.skip(next(turns) * steps).take(steps), verbose=0, shuffle=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, metavar="DIR", help="CamVid: train/ and val/")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    plan = recipe.load("camvid", [f"data.path={options.data}"])
    datasets = building.data(plan, ["train"])
    model = building.model(plan, datasets.specs, steps=1)
    shape, names = model.image_shape, {spec.name: len(spec.classes) for spec in datasets.specs}
    batches = list(datasets.train.take(4))
    train = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=datasets.train.element_spec).repeat()
    masks = train.map(lambda images, labels, weights: (images, labels["segmentation"]))
    boxes = train.map(lambda images, labels, weights: (images, labels["detection"]))
    trainers = {
        "visionmtl, three tasks": (model, train),
        "keras-cv DeepLabV3+": (deeplab(shape, names["segmentation"]), masks),
        "keras-cv RetinaNet": (retinanet(shape, names["detection"]), boxes),
    }
    runs = {name: trainer(*trained, options.steps) for name, trained in trainers.items()}
    taken = interleaved.seconds(runs, options.rounds, warm=1)
    seconds = {name: statistics.median(values) / options.steps for name, values in taken.items()}
    rows = [[name, f"{seconds[name]:.2f}", f"{trainers[name][0].count_params():,}"] for name in trainers]
    print(tables.table(["model", "seconds a step", "parameters"], rows))
    joint, *single = seconds.values()
    print(f"\njoint / the two single-task trainings together: {joint / sum(single):.3f} (at most 0.25)")


if __name__ == "__main__":
    main()
