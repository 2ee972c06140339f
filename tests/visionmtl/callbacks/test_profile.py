"""Steps that are profiled: recorded, marked as steps, and told with what shows them."""

import tensorflow as tf
import toys

from visionmtl import callbacks
from visionmtl.board import profiles


def test_the_profiler_records_the_steps_it_was_given_and_marks_each(tmp_path, capsys):
    model, folder = toys.model(toys.tasks("scene")), tmp_path / "tensorboard" / "train"
    model.compile("sgd")
    data = tf.data.Dataset.from_tensors(toys.batch(model.tasks.values())).repeat(3)
    model.fit(data, epochs=2, shuffle=False, verbose=0, callbacks=[callbacks.Profile(folder, 2, 4)])
    (record,) = profiles.of(tmp_path)
    assert b"step_num" in record.read_bytes(), "without it the dashboard knows the time of no step"
    told = " ".join(capsys.readouterr().out.split())
    assert f"Steps 2 to 4 are profiled in {folder}" in told
    assert (profiles.INSTALL in told) is not profiles.can_be_shown()
