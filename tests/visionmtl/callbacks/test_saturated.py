"""A task at its ceiling is told once."""

from types import SimpleNamespace

import pytest
import toys

from visionmtl import callbacks


def told(capsys, *epochs, bounds=True, known=()):
    """Return the lines that epochs of these logs have printed, and the callback."""
    callback = callbacks.Saturated(bounds)
    callback.go_on(list(known))
    callback.set_model(SimpleNamespace(tasks={task.name: task for task in toys.tasks("scene", "ground")}))
    for epoch, logs in enumerate(epochs):
        callback.on_epoch_end(epoch, logs)
    return capsys.readouterr().out.splitlines(), callback


REACHED = {"val_scene_accuracy": 0.995, "val_ground_mIoU": 0.5, "weight/scene": 2.7, "weight/ground": 0.9}


def test_it_is_said_in_the_epoch_it_is_reached_and_never_again(capsys):
    lines, callback = told(capsys, REACHED | {"val_scene_accuracy": 0.98}, {}, REACHED, REACHED)
    (line,) = lines
    assert line.startswith(
        "Epoch 3: task 'scene' has reached its ceiling (accuracy 0.995): val_score counts 0.99 of it"
    )
    assert line.endswith("It has the largest weight (2.70), which balancing.largest_weight bounds.")
    assert callback.keep() == ["scene"]
    assert told(capsys, REACHED, known=callback.keep())[0] == []


@pytest.mark.parametrize(("bounds", "weight"), [(False, 2.7), (True, 0.5)])
def test_no_bound_is_named_where_there_is_none_to_give_or_the_weight_is_not_the_largest(capsys, bounds, weight):
    (line,) = told(capsys, REACHED | {"weight/scene": weight}, bounds=bounds)[0]
    assert "largest_weight" not in line
