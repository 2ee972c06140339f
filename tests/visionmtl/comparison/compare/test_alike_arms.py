"""Arms make as many steps whatever they draw, and in what single tasks are trained unlike the others is told."""

import pytest

from visionmtl import recipe
from visionmtl.comparison.compare import asking
from visionmtl.comparison.compare.arms import arms
from visionmtl.comparison.compare.asking import Request
from visionmtl.comparison.compare.surveying import Survey

SURVEY = Survey({name: {"kind": name, "classes": 3} for name in ("detection", "segmentation")}, 50, [])
SOURCES = "data={sources: {boxes: {source: voc, path: a}, masks: {source: voc, path: b}}}"


def made(*overrides, **options):
    """Return the arms of a recipe of two sources by name, without tuned fixed weights."""
    mixed = recipe.load("garments", ["tasks=[detection, segmentation]", SOURCES, *overrides])
    asked = asking.asked(Request("garments", fixed=False, **options), "visionmtl compare garments")
    return {arm.name: arm for arm in arms(mixed, asked, SURVEY)}


def test_an_arm_that_draws_otherwise_has_epochs_as_long_as_those_of_all():
    found = made(vary=["data.sampling=proportional,uniform"])
    steps = {name: {part.recipe.training.steps for part in arm.parts} for name, arm in found.items()}
    assert steps == {"single tasks": {50}, "sampling proportional": {None}, "sampling uniform": {50}}
    searched = made(search=["data.sampling.method=proportional,uniform"])["hard, uncertainty"].parts[0]
    assert {searched.cell(option, 0).recipe.training.steps for option in searched.groups[0]} == {50}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (
            "training.monitor=val_detection_AP",
            "a model for another task is that of the epoch at which its own val_score",
        ),
        ("data.sampling=alternate", "a model of 'single tasks' learns its task in every step, a joint one in turn"),
    ],
)
def test_in_what_single_tasks_are_unlike_the_others_is_told(override, words):
    plain, other = made()["single tasks"].left_out, made(override)["single tasks"].left_out
    assert len(plain) == 1
    assert "sees those that label its task, for as many steps" in plain[0]
    assert any(words in sentence for sentence in other)
    assert len(other) == 2
