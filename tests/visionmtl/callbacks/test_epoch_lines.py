"""What a training prints of itself fits a terminal and says what it must."""

import re
from types import SimpleNamespace

import pytest
from interruptions import BATCHES, Data, model_of

from visionmtl import terminal
from visionmtl.callbacks.gradient_watch import GradientWatch
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
        progress.on_test_begin()
        for batch in range(2):
            progress.on_test_batch_end(batch)
        progress.on_test_end()
        losses = {f"{name}_loss": 1 + epoch + place for place, name in enumerate(tasks)}
        progress.on_epoch_end(epoch, losses | {f"val_{name}_{key}": 0.5 for name, key in tasks.items()})
    progress.on_train_end()


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
    assert any(re.match(r"1/1  \[=+-+\]  2/3  loss 3\.000  0\.\d\d s a step  0:00:0\d left *$", text) for text in drawn)
    assert [text.strip() for text in drawn if re.match(r"1/1  \w+ing", text)] == [
        *("1/1  validating", "1/1  validating, 1 batch", "1/1  validating, 2 batches", "1/1  measuring", "1/1  saving")
    ]
    assert drawn[-2].isspace()


@pytest.mark.parametrize(
    ("columns", "known"), [(60, r"2/3  loss 3\.000  0\.\d\d s a step  0:00:0\d left"), (40, r"0:00:0\d left")]
)
def test_lines_and_bars_fit_the_terminal_and_the_time_left_is_not_cut(capsys, monkeypatch, columns, known):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("visionmtl.callbacks.progress.OFTEN", 0)
    trained(KINDS, epochs=1, bars=True)
    out = capsys.readouterr().out
    assert max(map(len, re.split(r"[\r\n]", out))) <= columns
    assert re.search(known, out)


def test_what_is_told_takes_the_place_of_a_bar_and_a_command_stays_whole(capsys, monkeypatch):
    sentence = (
        "Step 3 of epoch 2 is not finite and was skipped; see why by: visionmtl train --replay runs/garments-1/nan-1"
    )
    terminal.tell(sentence)
    assert capsys.readouterr().out == f"{sentence}\n", "a file has it in one line"
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(terminal.sys.stdout, "isatty", lambda: True)
    terminal.tell(sentence)
    cleared, *lines = re.split(r"\r(?=\w)|\n", capsys.readouterr().out)
    assert cleared == f"\r{' ' * 39}"
    assert [len(line) <= 40 for line in lines[:-2]] == [True] * 2
    assert lines[-2:] == ["  visionmtl train --replay runs/garments-1/nan-1", ""]


def test_a_step_that_is_traced_does_not_count_for_the_time_of_one():
    now = 0.0
    pace = Pace(epochs=2, steps=5, clock=lambda: now)
    for seconds in (100, 2, 2, 60, 2):
        now += seconds
        pace.went()
    assert pace.step == 2


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


def test_a_step_of_another_kind_is_told_before_it_is_traced_and_no_more_afterwards(capfd):
    for bars, told in ((False, "Tracing the comparing step ...\n"), (True, "1/2  tracing the comparing step ")):
        model, data = model_of(), Data()
        watch = GradientWatch(None, every=4)
        model.fit(data.train, epochs=2, verbose=0, shuffle=False, callbacks=[Progress(BATCHES, bars), watch])
        assert capfd.readouterr().out.count(told) == 1
        assert "tracing" not in vars(model)
