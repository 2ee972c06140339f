"""NonFinite beside a small model: the first steps that are not finite are kept, too many in a row stop with advice."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import visionmtl
from visionmtl import callbacks
from visionmtl.errors import UsageError

pytestmark = pytest.mark.filterwarnings("ignore:Epoch . skipped")


def model_of(**options):
    keras.utils.set_random_seed(0)
    x = keras.Input((4,))
    model = visionmtl.BalancedModel(x, {task: keras.layers.Dense(1, name=task)(x) for task in "ab"})
    model.compile(keras.optimizers.SGD(0.1), dict.fromkeys("ab", "mse"), **options)
    return model


def batches(*bad, task="b", count=6):
    """Batches, of which those of these numbers have a label that is NaN."""
    random = np.random.default_rng(0)
    x, labels = random.normal(size=(count, 8, 4)), {task: random.normal(size=(count, 8, 1)) for task in "ab"}
    labels[task][list(bad), 3] = np.nan
    return tf.data.Dataset.from_tensor_slices((x.astype("float32"), labels))


def test_the_first_three_are_kept_with_all_it_takes_to_do_them_again(tmp_path, capsys):
    model = model_of()
    watch = callbacks.NonFinite(tmp_path, 3, lambda epoch, step: [f"{epoch}-{step}.jpg"])
    model.fit(batches(0, 2, 3, 5), epochs=2, shuffle=False, verbose=0, callbacks=[watch])
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert folders == ["nan-1", "nan-2", "nan-3"]
    abouts = [json.loads((tmp_path / folder / "step.json").read_text()) for folder in folders]
    assert [(about["epoch"], about["step"], about["files"]) for about in abouts] == [
        (0, 0, ["0-0.jpg"]),
        (0, 2, ["0-2.jpg"]),
        (0, 3, ["0-3.jpg"]),
    ]
    with np.load(tmp_path / "nan-2" / "batch.npz") as arrays:
        assert set(arrays) == {"images", "labels/a", "labels/b"}
        assert np.isnan(arrays["labels/b"][3]).all()
    kept = keras.saving.load_model(tmp_path / "nan-2" / "model.keras")
    assert int(kept.optimizer.iterations.numpy()) == 1  # as it was before the step
    assert "--replay" in capsys.readouterr().out


def test_too_many_in_a_row_stop_with_where_they_come_from(tmp_path):
    model = model_of()
    with pytest.raises(UsageError, match="The last 3 steps were all NaN or infinite, and skipped. The labels of 'b'"):
        model.fit(batches(0, 3, 4, 5), shuffle=False, verbose=0, callbacks=[callbacks.NonFinite(tmp_path, 3)])
    assert int(model.optimizer.iterations.numpy()) == 2


def test_advice_fits_what_the_training_was(tmp_path):
    model = model_of()
    model.layers[1].kernel.assign(model.layers[1].kernel * 0 + 3e38)
    watch = callbacks.NonFinite(tmp_path, 1, precision="mixed_float16", scale=2.0)
    with pytest.raises(UsageError) as told:
        model.fit(batches(), verbose=0, callbacks=[watch])
    assert "(float32) is the first that is not finite. What may help: training.precision=mixed_bfloat16" in str(
        told.value
    )
    assert "training.learning_rate, as 0.02 (it was 0.05 here); training.clip_norm=1." in str(told.value)
