"""Steps of a run that are not finite: skipped, kept to be done again, and too many in a row stop with advice."""

import json
import math

import numpy as np
import pytest
import tensorflow as tf
from small_recipe import QUICK, small

from visionmtl import callbacks, cli, training
from visionmtl.training import building, runs, session

pytestmark = [pytest.mark.usefixtures("toy_by_name"), pytest.mark.filterwarnings("ignore:Epoch . skipped")]


@pytest.fixture
def poisoned(monkeypatch):
    """Return the function that has batches of these numbers come with one pixel that is infinite."""
    monkeypatch.setattr(session, "finish", lambda *args: {})
    monkeypatch.setattr(callbacks.TensorBoard, "of_session", lambda given: [])
    whole = building.data

    def poison(*bad):
        def data(*args, **kwargs):
            datasets = whole(*args, **kwargs)

            def spoil(number, batch):
                images = tf.cast(batch[0], tf.float32)
                spoilt = tf.tensor_scatter_nd_update(images, [[0, 5, 5, 0]], [math.inf])
                return tf.where(tf.reduce_any(number == tf.constant(bad, tf.int64)), spoilt, images), *batch[1:]

            datasets.splits["train"] = datasets.splits["train"].enumerate().map(spoil)
            return datasets

        monkeypatch.setattr(building, "data", data)

    return poison


@pytest.mark.slow
def test_a_step_that_is_not_finite_is_kept_and_can_be_done_again(poisoned, tmp_path, capsys):
    poisoned(1)
    training.train(small(*QUICK, "training.epochs=1"), tmp_path / "run")
    assert f"visionmtl train --replay {tmp_path / 'run' / 'nan-1'}" in capsys.readouterr().out
    assert runs.read_history(tmp_path / "run")[0]["skipped_steps"] == 1
    about = json.loads((tmp_path / "run" / "nan-1" / "step.json").read_text())
    assert (about["epoch"], about["step"], len(about["files"])) == (0, 1, 4)

    assert cli.main(["train", "--replay", str(tmp_path / "run" / "nan-1")]) == 0
    told = capsys.readouterr().out
    assert "Step 2 of epoch 1" in told
    assert about["files"][0] in told
    assert "The images have 1 numbers that are not finite" in told
    found = training.replay(tmp_path / "run" / "nan-1")
    np.testing.assert_allclose(list(found.losses.values()), list(about["losses"].values()), rtol=1e-5)
    assert found.layer[0].startswith("rescaling")  # within the model that is the first stage
    assert not found.finite


@pytest.mark.slow
def test_too_many_in_a_row_stop_with_what_may_help(poisoned, tmp_path, capsys):
    poisoned(0, 1)
    recipe = small(*QUICK, "training.patience_nan=4", "training.epochs=5")
    with pytest.raises(
        training.session.UsageError, match="The last 4 steps were all NaN or infinite.*The images have 1"
    ):
        training.train(recipe, tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").glob("nan-*")) == ["nan-1", "nan-2", "nan-3"]
    assert list((tmp_path / "run" / "checkpoints").iterdir())


def test_a_folder_without_a_step_is_told(tmp_path, capsys):
    assert cli.main(["train", "--replay", str(tmp_path)]) == 2
    assert "holds no step to do again: give a folder such as RUN/nan-1" in capsys.readouterr().err
    assert cli.main(["train", "garments", "--replay", str(tmp_path)]) == 2
