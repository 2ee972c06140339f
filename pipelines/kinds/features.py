"""What a `tf.train.Example` holds, made of bytes and of numbers of any shape."""

from typing import Any

import numpy as np
import tensorflow as tf


def text(value: bytes) -> tf.train.Feature:
    """Return a feature of one string of bytes."""
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))


def floats(values: Any) -> tf.train.Feature:
    """Return a feature of float32, end to end."""
    return tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(values)))


def integers(values: Any) -> tf.train.Feature:
    """Return a feature of int64, end to end."""
    return tf.train.Feature(int64_list=tf.train.Int64List(value=np.ravel(values)))
