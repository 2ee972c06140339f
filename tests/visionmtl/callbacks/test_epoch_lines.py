"""What a training prints of itself fits a terminal and says what it must."""

import re
from types import SimpleNamespace

import pytest

from visionmtl.callbacks.pace import Pace
from visionmtl.callbacks.progress import Progress

KINDS = {"classification": "accuracy", "detection": "AP", "segmentation": "mIoU"}


def trained(tasks, epochs=2, steps=3, bars=False):
    """Call a progress as a training of some tasks does, two validation batches an epoch."""
    progress = Progress(steps, bars)
    progress.set_model(SimpleNamespace(tasks={name: SimpleNamespace(primary=key) for name, key in tasks.items()}))
    progress.set_params({"epochs": epochs, "steps": steps})
    progress.on_train_begin()
    for epoch in range(epochs):
        progress.on_epoch_begin(epoch)
        for step in range(steps):
            progress.on_train_batch_end(step, {"loss": 3.0})
        for batch in range(2):
            progress.on_test_batch_end(batch)
        losses = {f"{name}_loss": 1 + epoch + place for place, name in enumerate(tasks)}
        progress.on_epoch_end(epoch, losses | {f"val_{name}_{key}": 0.5 for name, key in tasks.items()})


def test_an_epoch_is_a_line_of_each_task_s_loss_and_first_metric_the_time_left_and_memory(capsys):
    trained(KINDS)
    said = capsys.readouterr().out.splitlines()
    assert said[1].split() == list(KINDS)
    assert said[2].split() == ["epoch", "loss", "accuracy", "loss", "AP", "loss", "mIoU", "left", "memory"]
    assert re.fullmatch(r" +1/2 +1\.000 +0\.500 +2\.000 +0\.500 +3\.000 +0\.500 +0:00:00 +\d+\.\d GB", said[3])
    assert len(said) == 5, "a line an epoch"


@pytest.mark.parametrize("bars", [False, True])
@pytest.mark.parametrize("count", [1, 3, 9])
def test_no_line_is_wider_than_80_columns(capsys, bars, count):
    trained({f"{'a_very_long_name_of_a_task'[: 8 * count]}_{n}": "accuracy" for n in range(count)}, 1000, 1, bars)
    assert max(map(len, re.split(r"[\r\n]", capsys.readouterr().out))) <= 80


def test_a_bar_is_drawn_over_and_leaves_nothing(capsys, monkeypatch):
    monkeypatch.setattr("visionmtl.callbacks.progress.OFTEN", 0)
    trained(KINDS, epochs=1, bars=True)
    drawn = capsys.readouterr().out.split("\r")
    assert any(re.match(r"1/1  \[=+-+\]  2/3  loss 3\.000  0\.00 s a step  0:00:00 left *$", text) for text in drawn)
    assert any(text.startswith("1/1  validating, 2 batches") for text in drawn)
    assert drawn[-2].isspace()


def test_the_time_left_leaves_tracing_out_and_counts_validations():
    now = 0.0
    pace = Pace(epochs=3, steps=4, clock=lambda: now)
    pace.begin()
    for _ in range(4):
        now += 100 if pace.last is None else 2  # the first step is traced
        pace.went()
    assert pace.left(0, 4) == 2 * 4 * 2, "nothing is known of validation yet"
    pace.end()
    now += 10
    assert pace.left(0, 4) == 2 * (4 * 2 + 10)
    pace.begin()
    assert pace.left(1, 0) == 2 * (4 * 2 + 10)
