"""A recipe of some tasks says nothing of the others, and trains."""

import pytest

from visionmtl import recipe
from visionmtl.comparison.some_tasks import alone, check_same_pictures, of_tasks
from visionmtl.errors import UsageError
from visionmtl.training import building

EVERY = ["classification", "detection", "segmentation"]
TOY = "{image_size: [32, 32], batch_size: 4, source: garments, options: {train: 8, validation: 4, test: 4}}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "section", "options"),
    [
        ("balancing={method: fixed, weights: {detection: 2, classification: 3}}", "balancing", {"detection": 2}),
        (
            "model.sharing={name: hierarchical, levels: {detection: P4, classification: P3}}",
            "sharing",
            {"detection": "P4"},
        ),
        ("model.sharing={name: cascade, order: {detection: classification}}", "sharing", None),
        ("model.sharing={name: cascade, order: [classification, segmentation, detection]}", "sharing", EVERY[:0:-1]),
        (
            "model.sharing={name: relation, relations: {detection: {segmentation: 2.0, classification: 1.0}}}",
            "sharing",
            {"detection": {"segmentation": 2.0}},
        ),
    ],
)
def test_entries_of_other_tasks_are_left_out_and_what_is_left_builds(changes, section, options):
    whole = recipe.load("garments", [f"data={TOY}", "model.weights=null", changes])
    part = of_tasks(whole, EVERY[1:], EVERY)
    kept = part.balancing.options if section == "balancing" else part.model.sharing.options
    assert list(part.tasks) == EVERY[1:]
    assert list(kept.values()) == ([] if options is None else [options])
    specs = building.data(part, ["train"]).specs
    building.model(part, specs, 2)


def test_parts_and_logs_of_other_tasks_are_neither_frozen_nor_watched():
    changes = ["training.freeze=[backbone, detection, segmentation]", "training.monitor=val_detection_AP"]
    whole = recipe.load("garments", changes)
    part = of_tasks(whole, ["segmentation"], EVERY)
    assert part.training.freeze == ["backbone", "segmentation"]
    assert part.training.monitor == "val_score"
    assert of_tasks(whole, ["detection"], EVERY).training.monitor == "val_detection_AP"
    far = recipe.changed(whole, {"training.monitor": "val_detection_far_AP"})
    assert of_tasks(far, ["detection_far"], ["detection", "detection_far"]).training.monitor == "val_detection_far_AP"


def test_a_task_alone_shares_and_weighs_nothing():
    whole = recipe.load("garments", ["model.sharing=mtan"])
    part = alone(whole, "segmentation", EVERY)
    assert part.tasks == {"segmentation": {"dice": 2.0}}
    assert (part.model.sharing.name, part.balancing.method, part.balancing.watch) == ("hard", "equal", None)


def test_where_broken_labels_are_skipped_models_of_some_tasks_would_see_other_pictures():
    check_same_pictures(recipe.load("garments"))
    with pytest.raises(UsageError, match="data.on_error is skip: a picture with one broken label is left out"):
        check_same_pictures(recipe.load("garments", ["data.on_error=skip"]))
