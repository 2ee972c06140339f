"""Arms and the baseline at one seed begin with one backbone and see the same samples in the same order."""

import folders
import keras
import numpy as np
import pytest

import pipelines
from visionmtl import recipe
from visionmtl.training import building

pytestmark = pytest.mark.usefixtures("toy_by_name")

SMALL = (
    "data.image_size=[32, 32]",
    "data.batch_size=4",
    "data.options={train: 8, validation: 4, test: 4}",
    "model={backbone: toy, neck: {channels: 4}}",
    "balancing.watch=null",
    "training.seed=3",
)
ALONE = {"tasks": {"segmentation": {}}, "balancing": {"method": "equal", "watch": None}, "model.sharing": "hard"}


def begun(changes):
    """Return the weights of every backbone in a model, and the names of two epochs' samples, as a training begins."""
    made = recipe.changed(recipe.load("garments", SMALL), changes)
    keras.utils.set_random_seed(made.training.seed)
    datasets = building.data(made, ["train"])
    model = building.model(made, datasets.specs, 2)
    stages = [model.get_layer(name) for name in model.parts["backbone"]]
    backbones = {}
    for stage in stages:
        prefix, _, name = stage.name.rpartition("toy_")
        backbones.setdefault(prefix, {})[name] = stage.get_weights()
    return list(backbones.values()), [datasets.names(epoch, step) for epoch in (0, 1) for step in (0, 1)], datasets


@pytest.mark.slow
def test_every_backbone_of_every_arm_begins_with_the_same_weights():
    alone, *none = begun(ALONE)[0]
    assert not none
    assert len(alone) == 4
    counts = []
    for scheme in ("hard", "mtan", "cross_stitch"):
        found = begun({"model.sharing": scheme, "balancing.method": "equal"})[0]
        counts.append(len(found))
        for one in found:
            assert one.keys() == alone.keys()
            for name, values in alone.items():
                for value, other in zip(values, one[name], strict=True):
                    np.testing.assert_array_equal(value, other)
    assert counts == [1, 1, 3]


@pytest.mark.slow
def test_a_task_alone_is_given_the_samples_of_all_in_the_same_order():
    _, order, joint = begun({})
    _, order_alone, alone = begun(ALONE)
    assert order == order_alone
    for (images, labels, _), (others, own, _) in zip(joint.train, alone.train, strict=True):
        np.testing.assert_array_equal(images, others)
        np.testing.assert_array_equal(labels["segmentation"], own["segmentation"])


@pytest.mark.slow
def test_order_and_draws_are_the_same_where_some_pictures_lack_the_labels_of_a_task(tmp_path):
    folders.voc(tmp_path, {"train": "abcdefgh", "val": "xy"})
    for name in "bd":
        (tmp_path / "SegmentationClass" / f"{name}.png").unlink()
    (tmp_path / "Annotations" / "c.xml").unlink()

    def read(tasks=None):
        moved = {"flip": True, "scale": [0.7, 1.4]}
        data = pipelines.load("voc", (32, 32), 2, path=tmp_path, splits=["train"], tasks=tasks, augmentation=moved)
        return [data.names(1, step) for step in range(4)], [images.numpy() for images, _, _ in data.train]

    whole = read()
    for task in ("classification", "detection", "segmentation"):
        names, pictures = read([task])
        assert names == whole[0]
        np.testing.assert_array_equal(pictures, whole[1])
