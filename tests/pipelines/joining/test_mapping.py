"""Labels are mapped to the classes of a trained model by name."""

import numpy as np
import pytest

import pipelines
from pipelines import LabelSpec

OBJECTS = {"a.png": [(3, 10, 5, 20, 20), (7, 40, 30, 16, 4)]}
WIDER = ("disc", "bar", "square")
SPECS = (
    LabelSpec("segmentation", "segmentation", ("ground", *WIDER, "background")),
    LabelSpec("detection", "detection", WIDER),
    LabelSpec("classification", "multi_label", WIDER),
)


@pytest.mark.slow
@pytest.mark.parametrize("cache", [True, False])
def test_labels_take_the_ids_of_the_expected_classes(coco, load, cache):
    data = load(coco(OBJECTS, masks=True), specs=SPECS, cache=cache)
    ((_, labels, _),) = data.train.as_numpy_iterator()
    assert set(data.specs) == set(SPECS)
    assert labels["detection"]["classes"][0, :3].tolist() == [2, 1, -1]
    assert labels["classification"][0].tolist() == [-1.0, 1.0, 1.0]
    mask = labels["segmentation"][0]
    assert (mask[0, 0], mask[10, 20], mask[31, 50]) == (4, 3, 2)


def test_the_tasks_of_the_specs_are_those_loaded(coco, load):
    data = load(coco(OBJECTS), specs=SPECS[1:2])
    assert [spec.name for spec in data.specs] == ["detection"]


def test_a_class_the_model_does_not_know_is_refused_by_name(coco, load):
    specs = [LabelSpec("detection", "detection", ("square", "disc"))]
    with pytest.raises(pipelines.DataError, match="Unknown detection class in the data 'bar'"):
        load(coco(OBJECTS), specs=specs)


def test_a_category_that_never_occurs_need_not_be_known(coco, load):
    specs = [LabelSpec("detection", "detection", ("disc", "square"))]
    data = load(coco({"a.png": OBJECTS["a.png"][:1]}), specs=specs)
    ((_, labels, _),) = data.train.as_numpy_iterator()
    assert labels["detection"]["classes"][0, 0] == 1


@pytest.mark.slow
def test_crowds_and_ignored_pixels_stay_what_they_are(coco, load):
    crowd = (3, 0, 0, 9, 9, {"iscrowd": 1, "segmentation": [[0, 0, 9, 0, 9, 9, 0, 9]]})
    ((_, labels, _),) = load(coco({"a.png": [crowd]}), specs=SPECS).train.as_numpy_iterator()
    assert labels["detection"]["classes"][0, 0] == -2
    assert np.unique(labels["segmentation"]).tolist() == [4, 255]


def test_a_mask_value_that_is_no_class_is_found_out_in_spite_of_the_mapping(coco, load):
    folder = coco({"a.png": [(7, 0, 0, 5, 5)]}, masks=True)
    (folder / "mask_classes.json").write_text('{"classes": ["ground", "square"]}')
    with pytest.raises(pipelines.DataError, match="a.png' has the value 2: expected 0 to 1, or 255"):
        load(folder, specs=SPECS[:1])


def test_another_kind_of_label_or_a_task_without_spec_is_refused(coco, load):
    folder = coco(OBJECTS)
    with pytest.raises(
        pipelines.DataError, match="'classification' expects labels of kind classification, but .*multi_l"
    ):
        load(folder, specs=[LabelSpec("classification", "classification", ("square", "bar"))])
    with pytest.raises(pipelines.DataError, match="Unknown task of the specs given 'detection'"):
        load(folder, specs=SPECS[2:], tasks=["detection"])


def test_a_spec_needs_a_known_kind_and_different_names():
    with pytest.raises(pipelines.DataError, match="Unknown kind of label 'boxes'"):
        LabelSpec("a", "boxes", ("b",))
    with pytest.raises(pipelines.DataError, match="Task 'a' needs class names, all different"):
        LabelSpec("a", "detection", ("b", "b"))
