"""The events of a training that goes on: what TensorBoard has of steps that are made again is void."""

import time
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tensorboard.compat.proto import event_pb2


def writer(folder: str | Path, first: int) -> tf.summary.SummaryWriter:
    """Return a writer of events into a folder, which has TensorBoard forget those that are there of later steps.

    Args:
        folder: that of one run of TensorBoard.
        first: the first step that will be written; what is there of it, or of later ones, was of a session that ended
            before these were kept.
    """
    earlier = any(Path(folder).glob("events.out.tfevents.*"))
    made = tf.summary.create_file_writer(str(folder))
    if earlier:
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        event = event_pb2.Event(wall_time=time.time(), step=first, session_log=start)
        for _ in range(2):  # TensorBoard takes the first that it meets for the start of all
            tf.raw_ops.ImportEvent(writer=made._resource, event=event.SerializeToString())
    return made


def steps_behind(model: Any) -> int:
    """Return how many steps a model was trained: the one unit of all that is written."""
    behind = getattr(model, "steps_behind", None)
    return int(keras.ops.convert_to_numpy(model.optimizer.iterations)) if behind is None else int(behind)
