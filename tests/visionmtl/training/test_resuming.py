"""An interrupted run goes on at the step where it was, and becomes what it would have become, bit for bit."""

import contextlib

import interruptions
import keras
import numpy as np
import pytest
from small_recipe import small

from visionmtl import callbacks, csvfile, training
from visionmtl.checkpoints import container, folder, state
from visionmtl.errors import UsageError
from visionmtl.training import resuming, runs, session

pytestmark = pytest.mark.usefixtures("toy_by_name", "forgotten")


class Interrupt(keras.callbacks.Callback):
    """Stops a training at a step of an epoch, from 0, at once or after a checkpoint."""

    def __init__(self, epoch, step, backup=None):
        super().__init__()
        self.at, self.backup = (epoch, step), backup

    def on_train_batch_end(self, batch, logs=None):
        position = self.model.position
        if not position.passed and (position.epoch, position.step) == self.at:
            if self.backup:
                self.backup.save_now()
            raise KeyboardInterrupt


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Return a function that trains a run, or resumes it, and returns all variables at its end and its history."""
    ends = []
    monkeypatch.setattr(session, "finish", lambda model, *args: ends.append(state.taken(model.training_state())))

    def train(given, run, stop=None, devices=None, save=True):
        usual = callbacks.of_session

        def watched(*session):
            watchers = usual(*session)
            backup = next(each for each in watchers if isinstance(each, callbacks.Backup))
            return watchers if stop is None else [*watchers, Interrupt(*stop, backup if save else None)]

        with monkeypatch.context() as patch:
            patch.setattr(callbacks, "of_session", watched)
            with contextlib.nullcontext() if stop is None else pytest.raises(KeyboardInterrupt, match="--resume"):
                if (tmp_path / run).exists():
                    training.resume(tmp_path / run, devices)
                else:
                    training.train(given, tmp_path / run, devices)
        rows = runs.read_history(tmp_path / run)
        return (ends[-1] if ends else None), [{name: row[name] for name in row if name != "seconds"} for row in rows]

    return train


def check(trained, given, stops=((1, 1),), devices=None):
    whole, rows = trained(given, "whole", devices=devices)
    for stop in stops:
        trained(given, "stopped", stop, devices)
    resumed, resumed_rows = trained(given, "stopped", devices=devices)
    assert whole.keys() == {name_like(name, whole) for name in resumed}
    for (name, value), other in zip(whole.items(), resumed.values(), strict=True):
        np.testing.assert_array_equal(value, other, name)
    assert resumed_rows == rows


def name_like(name, others):
    """The name of a variable in another model of the process, whose layers are counted on."""
    place = name.split(":")[:3]
    return next(other for other in others if other.split(":")[:3] == place)


UNWATCHED = "balancing.watch=null"  # one kind of step less to trace
UNDRAWN = "training.log=[]"
CASES = {
    "three_times": (UNWATCHED,),
    "averaged_with_dropout": (
        *(UNWATCHED, "training.ema=0.9", "model.dropout=0.3"),
        "data.augmentation={flip: true, scale: [0.7, 1.4]}",
    ),
    "smaller_images_and_rates_by_layer": (
        *(UNWATCHED, "training.sizes={0: 0.5, 2: 1}", "training.layer_decay=0.5", "balancing.method=uncertainty"),
        *("balancing.largest_weight=1", "training.freeze_statistics=[backbone]"),
    ),
    "half_and_watched": ("training.precision=mixed_float16", "balancing.watch=1"),
    "steps_by_pcgrad": (UNWATCHED, "training.steps=2", "balancing.method=pcgrad", "balancing.update_every=2"),
}
STOPS = {"three_times": ((0, 1), (1, 1), (1, 3)), "averaged_with_dropout": ((1, 2),)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_run_stopped_at_a_step_becomes_the_uninterrupted_one(trained, name):
    given = small("data.options={train: 12, validation: 4, test: 4}", "training.epochs=3", UNDRAWN, *CASES[name])
    check(trained, given, STOPS.get(name, ((1, 1),)))


@pytest.mark.slow
def test_a_run_on_two_devices_stopped_at_a_step_becomes_the_uninterrupted_one(trained, two_devices):
    check(trained, small("balancing.watch=1", "training.epochs=3", UNDRAWN), devices=two_devices)


@pytest.mark.slow
def test_a_run_stopped_between_checkpoints_goes_on_from_the_one_before(trained, tmp_path, capsys):
    given = small("training.epochs=3", "balancing.watch=1", "training.early_stopping=9")
    whole, rows = trained(given, "whole")
    trained(given, "stopped", (1, 2), save=False)
    newest = next(iter(folder.of(tmp_path / "stopped")))
    newest.write_bytes(newest.read_bytes()[:1000])
    resumed, resumed_rows = trained(given, "stopped")
    assert "1-0.ckpt is damaged (its checksum does not fit" in capsys.readouterr().out
    assert resumed_rows == rows
    for value, other in zip(whole.values(), resumed.values(), strict=True):
        np.testing.assert_array_equal(value, other)
    gradients = [(tmp_path / run / "gradients.csv").read_text() for run in ("whole", "stopped")]
    assert gradients[0] == gradients[1]


@pytest.mark.slow
def test_a_run_killed_once_its_epochs_are_trained_is_only_measured(tmp_path, monkeypatch, capsys):
    def killed(*given):
        raise KeyboardInterrupt

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(session, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            training.train(small(), run)
    (run / "history.csv").write_text("torn")
    (run / "last.keras").write_bytes(b"torn")
    monkeypatch.setattr(session, "_fit", killed)
    assert training.resume(run)["seconds"] > 0
    told = capsys.readouterr().out
    assert "All epochs of" in told
    assert "last.keras is damaged" in told
    assert runs.load_model(run / "last.keras")
    assert [row["epoch"] for row in runs.read_history(run)] == [1, 2]


def kept(run, place, **about):
    """Keep a checkpoint of the small model in a run."""
    about = {"steps": 6, "logs": {}, "kept": {}, "recipe": small().model_dump(mode="json")} | about
    arrays = state.taken(interruptions.model_of().training_state())
    container.write(run / "checkpoints" / place.name, about, arrays)


def test_a_run_without_a_checkpoint_that_is_whole_is_not_begun_anew_over_its_best_model(tmp_path):
    csvfile.write(tmp_path / "history.csv", [{"epoch": 1}])
    with pytest.raises(UsageError, match="has no checkpoint to go on from .it is gone., but history.csv of its"):
        resuming.find(tmp_path, 6)
    (tmp_path / "best.keras").write_bytes(b"good")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "1-0.ckpt").write_bytes(b"")
    with pytest.raises(UsageError, match="1-0.ckpt is damaged .it is empty.*but best.keras and history.csv"):
        resuming.find(tmp_path, 6)


def test_a_run_killed_before_its_first_checkpoint_starts_from_the_beginning(tmp_path, capsys):
    assert resuming.find(tmp_path, 6) is None
    assert "has no checkpoint yet: it starts from the beginning." in capsys.readouterr().out


def test_a_checkpoint_before_a_damaged_one_is_told_with_the_steps_lost(tmp_path, capsys):
    kept(tmp_path, folder.Place(1, 4))
    (tmp_path / "checkpoints" / "2-1.ckpt").write_bytes(b"x" * 99)
    assert resuming.find(tmp_path, 6).place == (1, 4)
    told = capsys.readouterr().out
    assert told.startswith("2-1.ckpt is damaged (its checksum does not fit")
    assert told.endswith("going on from step 4 of epoch 2, 3 steps earlier.\n")


@pytest.mark.parametrize(
    ("now", "steps", "sentence"),
    [
        ({}, 5, "is at step 2 of epoch 1, of 6 steps, but now an epoch has 5.* Therefore put it back"),
        (
            {"metrics": None},
            6,
            "does not fit the model: .* The recipe was edited: model.neck.channels was 8 and is 16",
        ),
    ],
)
def test_an_edited_recipe_that_no_longer_fits_is_one_sentence(tmp_path, now, steps, sentence):
    kept(tmp_path, folder.Place(0, 2))
    found, model = folder.newest(tmp_path)[0], interruptions.model_of(**now)
    with pytest.raises(UsageError, match=sentence):
        resuming.give_back(found, model, small("model.neck.channels=16"), steps)


def test_an_edit_that_fits_is_told(tmp_path, capsys):
    kept(tmp_path, folder.Place(0, 2))
    model = interruptions.model_of()
    resuming.give_back(folder.newest(tmp_path)[0], model, small("training.epochs=9"), 6)
    assert "training.epochs was 2 and is 9." in capsys.readouterr().out
    assert model.position.over == 2


@pytest.mark.parametrize("content", [b"", bytes(99), None])
def test_a_recipe_of_which_nothing_is_left_is_there_again(tmp_path, content, capsys):
    kept(tmp_path, folder.Place(0, 2))
    if content is not None:
        (tmp_path / "recipe.yaml").write_bytes(content)
    resuming.mend(tmp_path)
    assert runs.read_recipe(tmp_path).training == small().training
    assert "was empty or gone; it is there again as 0-2.ckpt has it." in capsys.readouterr().out
    (tmp_path / "recipe.yaml").write_text("data: {source: garments}")
    resuming.mend(tmp_path)
    assert (tmp_path / "recipe.yaml").read_text() == "data: {source: garments}"


def test_figures_that_were_cut_are_told(tmp_path):
    for content in ('{"validation": {"a"', "", "[]"):
        (tmp_path / "metrics.json").write_text(content)
        with pytest.raises(UsageError, match="was cut or changed"):
            runs.read_metrics(tmp_path)
