"""All arms get the same: steps, seconds by a calibration, parameters by the width of the neck."""

import pytest

from visionmtl import recipe
from visionmtl.comparison.compare import budgets
from visionmtl.comparison.compare.arms import arms
from visionmtl.comparison.compare.asking import Asked
from visionmtl.comparison.compare.surveying import Survey
from visionmtl.errors import UsageError

TASKS = {name: {"kind": name, "classes": 3} for name in ("classification", "segmentation")}
SURVEY = Survey(TASKS, 50, [])
SMALL = (
    "data.image_size=[32, 32]",
    "tasks={classification: {}, segmentation: {}}",
    "model={backbone: toy, neck: {channels: 8}}",
)


@pytest.mark.parametrize(("steps", "epochs", "each"), [(500, 10, 50), (501, 11, 46), (20, 1, 20), (None, 3, None)])
def test_steps_are_parted_into_epochs_no_longer_than_the_datas(steps, epochs, each):
    made = budgets.of_steps(recipe.load("garments", SMALL), steps, SURVEY).training
    assert (made.epochs, made.steps) == (epochs, each)


@pytest.mark.parametrize("seconds", [40, 100, 1000, 5000])
def test_epochs_and_steps_take_the_seconds_given(seconds):
    pace = budgets.Pace(start=20, step=0.3, epoch=2)
    epochs, steps = budgets.length(pace, seconds, most=50, every=2)
    taken = pace.start + epochs * (steps * pace.step + pace.epoch / 2)
    assert seconds - pace.step - 0.02 * seconds <= taken <= seconds
    assert 0 < steps <= 50


def test_where_no_step_fits_there_is_none():
    assert budgets.length(budgets.Pace(20, 0.3, 2), 21, most=50)[1] == 0


@pytest.mark.usefixtures("toy_by_name")
def test_arms_are_widened_to_the_parameters_of_the_largest(tmp_path):
    made = arms(recipe.load("garments", SMALL), Asked([{"model.sharing": "hard"}], fixed=False), SURVEY)
    told = []
    widths = budgets.Widths(made, SURVEY, tmp_path, told.append)
    counts = [sum(budgets.parameters(part.recipe, SURVEY, part.task) for part in arm.parts) for arm in widths.arms]
    assert widths.target == counts[0] > budgets.parameters(made[1].parts[0].recipe, SURVEY)
    assert counts[1] == pytest.approx(counts[0], rel=budgets.NEAR)
    assert made[0] is widths.arms[0]
    told.clear()
    again = budgets.Widths(made, SURVEY, tmp_path, told.append)
    assert again.arms == widths.arms
    assert not told, "what is known of a folder is not counted again"


def test_an_arm_that_chooses_its_neck_cannot_be_widened(tmp_path):
    asked = Asked([{"model.neck.channels": 8}, {"model.neck.channels": 16}], fixed=False)
    with pytest.raises(UsageError, match="is set by --budget parameters"):
        budgets.Widths(arms(recipe.load("garments"), asked, SURVEY), SURVEY, tmp_path)
