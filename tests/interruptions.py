"""A small model of three tasks that is trained whole, or stopped at a step and gone on with by another model."""

import keras
import numpy as np
import tensorflow as tf

import visionmtl
from visionmtl import callbacks
from visionmtl.checkpoints import folder, state

BATCHES = 6


def model_of(balancing="equal", accumulate=None, every=None, **options):
    """Two tasks on two shared layers, one on the first of them too; with dropout, batch statistics and metrics."""
    keras.utils.set_random_seed(0)
    x = keras.Input((6,), name="table")
    first = keras.layers.BatchNormalization()(keras.layers.Dense(8, activation="tanh")(x))
    second = keras.layers.Dropout(0.2)(keras.layers.Dense(8, activation="tanh")(first))
    tasks = {"a": second, "b": second, "c": keras.layers.Concatenate()([first, second])}
    model = visionmtl.BalancedModel(x, {name: keras.layers.Dense(1, name=name)(y) for name, y in tasks.items()})
    ema = options.pop("ema", False)
    optimizer = keras.optimizers.AdamW(0.02, use_ema=ema, gradient_accumulation_steps=accumulate)
    options = {"metrics": {"a": "mae"}, "clip_norm": 1.0} | options
    model.compile(optimizer, dict.fromkeys("abc", "mse"), balancing=balancing, **options)
    model.conflicts.watch(every)
    return model


class Data:
    """Batches whose next pass may begin at a step, in an order of each epoch."""

    def __init__(self):
        random, self.now = np.random.default_rng(0), (0, 0)
        x = random.normal(size=(4 * BATCHES, 6)).astype("float32")
        labels = {"a": x[:, :1] * 2, "b": -3 * x[:, :1] + x[:, 1:2], "c": x[:, 2:3] - x[:, :1]}
        whole = tf.data.Dataset.from_tensor_slices((x, labels))

        def tick():
            epoch, step = self.now
            self.now = epoch + 1, 0
            return np.array([epoch, step])

        now = tf.data.Dataset.range(1).map(lambda _: tf.numpy_function(tick, [], tf.int64))
        passes = now.flat_map(lambda now: whole.skip(now[0] % 4).concatenate(whole.take(now[0] % 4)).skip(4 * now[1]))
        self.train = passes.batch(4, drop_remainder=True).apply(tf.data.experimental.assert_cardinality(BATCHES))
        self.validation = whole.batch(8)

    def seek(self, epoch, step=0):
        self.now = epoch, step


class Stop(keras.callbacks.Callback):
    """Stops a training behind a step, or in the validation of an epoch, with a checkpoint."""

    def __init__(self, backup, place, hook):
        super().__init__()
        self.backup, self.place, self.hook = backup, place, hook

    def stop(self, hook):
        now = self.model.position
        if hook == self.hook and not now.passed and (now.epoch, now.step) == self.place:
            self.backup.save_now()
            raise KeyboardInterrupt

    def on_train_batch_end(self, batch, logs=None):
        self.stop("train")

    def on_test_batch_end(self, batch, logs=None):
        self.stop("test")


def fit(model, run, stop=None, hook="train", epochs=3, more=(), **options):
    """Train a model in a run folder, going on from what is there; return its variables and its history."""
    start, data = folder.newest(run)[0], Data()
    first = 0
    if start is not None:
        first, step = start.place
        state.give_back(model.training_state(), start.arrays)
        model.pass_over(step, start.about["logs"])
    watchers = [callbacks.Seek(data, start.place if start else (0, 0))]
    watchers += [callbacks.AveragedWeights()] if getattr(model.optimizer, "use_ema", False) else []
    watchers += [callbacks.History(run / "history.csv"), *more]
    watchers += [backup := callbacks.Backup(run, start=start, watchers=watchers, **options)]
    given = [*watchers, Stop(backup, stop, hook)] if stop else watchers
    try:
        model.fit(
            data.train,
            validation_data=data.validation,
            epochs=epochs,
            initial_epoch=first,
            shuffle=False,
            verbose=0,
            callbacks=given,
        )
    except KeyboardInterrupt:
        assert stop, "nobody asked for it"
    finally:
        backup.close()
    return state.taken(model.training_state()), (run / "history.csv").read_text() if not stop else None


def check(tmp_path, make, stop=(1, 2), hook="train"):
    """Compare a training that was stopped and gone on with by another model to one that was not."""
    whole, rows = fit(make(), tmp_path / "whole")
    fit(make(), tmp_path / "stopped", stop, hook)
    resumed, resumed_rows = fit(make(), tmp_path / "stopped")
    assert resumed_rows == rows
    assert len(resumed) == len(whole)
    for (name, value), other in zip(whole.items(), resumed.values(), strict=True):
        np.testing.assert_array_equal(value, other, name)
