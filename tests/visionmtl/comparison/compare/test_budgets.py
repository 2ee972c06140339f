"""All arms get the same: steps, seconds by a calibration, parameters by the width of the neck."""

import json
from dataclasses import replace

import pytest

from visionmtl import csvfile, recipe
from visionmtl.comparison.compare import timing, widths
from visionmtl.comparison.compare.arms import arms
from visionmtl.comparison.compare.asking import Asked
from visionmtl.comparison.compare.surveying import Survey, of_steps
from visionmtl.errors import UsageError

TASKS = {name: {"kind": name, "classes": 3} for name in ("classification", "segmentation")}
SURVEY = Survey(TASKS, 50, [])
SMALL = (
    "data.image_size=[32, 32]",
    "tasks={classification: {}, segmentation: {}}",
    "model={backbone: toy, neck: {channels: 8}}",
)
WIDE = {"model.neck.channels": 32}


@pytest.mark.parametrize(("steps", "epochs", "each"), [(500, 10, 50), (501, 11, 46), (20, 1, 20), (None, 3, None)])
def test_steps_are_parted_into_epochs_no_longer_than_the_datas(steps, epochs, each):
    made = of_steps(recipe.load("garments", SMALL), steps, SURVEY).training
    assert (made.epochs, made.steps) == (epochs, each)


def test_steps_are_those_of_the_optimizer_and_the_last_epoch_is_validated():
    changes = ("training.accumulate=4", "training.validate_every=9")
    made = of_steps(recipe.load("garments", (*SMALL, *changes)), 50, SURVEY).training
    assert made.epochs * made.steps == 200
    assert made.validate_every == made.epochs == 4


@pytest.mark.parametrize("seconds", [40, 100, 1000, 5000])
def test_epochs_and_steps_take_the_seconds_given(seconds):
    pace = timing.Pace(start=20, step=0.3, epoch=2)
    epochs, steps = timing.length(pace, seconds, most=50, every=2)
    taken = pace.start + epochs * (steps * pace.step + pace.epoch / 2)
    assert seconds - pace.step - 0.02 * seconds <= taken <= seconds
    assert 0 < steps <= 50


def trained(run, epochs, steps, every=1):
    """Write what a training measures of itself: it saves its last model after each epoch, and, if better, its best.

    Its score rises for six epochs, then in every second one. It looks at gradients after 50 steps, or else its last.
    """
    run.mkdir()
    at, best, rows, look = 12.0, -1.0, [], min(50, epochs * steps)
    for epoch in range(1, epochs + 1):
        at += steps * 0.05 + 0.45 + 6.0 * ((epoch - 1) * steps < look <= epoch * steps)
        row = {"epoch": epoch}
        if epoch % every == 0:
            score = epoch / 100 if epoch < 7 or epoch % 2 else 0.0
            at += 0.15 + 0.45 * (score > best)
            best = max(best, score)
            row["val_score"] = score
        rows.append(row | {"seconds": at})
    csvfile.write(run / "history.csv", rows)
    (run / "metrics.json").write_text(json.dumps({"step_seconds": 0.05, "save_seconds": 0.45}))
    return at


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize(("seconds", "most"), [(40, 4), (40, 8), (60, 20), (300, 100)])
def test_a_training_of_the_length_found_takes_the_seconds_though_not_every_model_is_the_best(
    tmp_path, seconds, most, every
):
    steps = min(most, timing.MEASURED)
    trained(tmp_path / "calibration", timing.EPOCHS, steps)
    found = timing.length(timing.pace(tmp_path / "calibration", steps, "val_score"), seconds, most, every)
    assert trained(tmp_path / "run", *found, every) == pytest.approx(seconds, rel=0.04)


def test_where_no_step_fits_there_is_none():
    assert timing.length(timing.Pace(20, 0.3, 2), 21, most=50)[1] == 0


@pytest.mark.slow
@pytest.mark.usefixtures("toy_by_name")
def test_arms_are_widened_to_the_parameters_of_the_largest(tmp_path):
    made = arms(recipe.load("garments", SMALL), Asked([{"model.sharing": "hard"}], fixed=False), SURVEY)
    told = []
    found = widths.Widths(made, SURVEY, tmp_path, told.append)
    counts = [sum(widths.parameters(part.recipe, SURVEY, part.task) for part in arm.parts) for arm in found.arms]
    assert found.target == counts[0] > widths.parameters(made[1].parts[0].recipe, SURVEY)
    assert counts[1] == pytest.approx(counts[0], rel=widths.NEAR)
    assert made[0] is found.arms[0]
    told.clear()
    again = widths.Widths(made, SURVEY, tmp_path, told.append)
    assert again.arms == found.arms
    assert not told, "what is known of a folder is not counted again"


@pytest.mark.slow
@pytest.mark.usefixtures("toy_by_name")
def test_an_arm_that_comes_later_gets_the_parameters_of_those_before_it_or_fails_alone(tmp_path):
    alone, joint = arms(recipe.load("garments", SMALL), Asked([{"model.sharing": "hard"}], fixed=False), SURVEY)
    first = widths.Widths([joint], SURVEY, tmp_path, lambda told: None)
    (single,) = alone.parts[:1]
    wide = replace(joint, name="wide", parts=[replace(single, task=None, recipe=joint.parts[0].recipe)])
    wide = replace(wide, parts=[replace(wide.parts[0], recipe=recipe.changed(joint.parts[0].recipe, WIDE))])
    later = widths.Widths([joint, alone, wide], SURVEY, tmp_path, lambda told: None)
    assert later.target == first.target
    assert later.arms[0] == joint
    assert later.failed.keys() == {"single tasks"}
    assert "parameters with model.neck.channels=1 and" in later.failed["single tasks"]
    assert widths.parameters(later.arms[2].parts[0].recipe, SURVEY) == pytest.approx(first.target, rel=widths.NEAR)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (Asked([{"model.neck.channels": 8}, {"model.neck.channels": 16}]), "is set by --budget parameters"),
        (Asked([{"model.neck": {"channels": 8}}]), "is set by --budget parameters"),
        (Asked([{}], search={"model.sharing.until": ["P3", "P4"]}), "it cannot be searched"),
    ],
)
def test_what_the_widths_would_undo_cannot_be_asked_for(asked, sentence):
    widths.check(asked)
    with pytest.raises(UsageError, match=sentence):
        widths.check(replace(asked, budget={"of": "parameters", "amount": None}))
