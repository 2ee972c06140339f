"""A batch of the toy tasks with some labels in another form, and a step on such a batch."""

import tensorflow as tf
import toys


def batch(**changed):
    """Return images, labels and weights; a task's labels are those given, and it has none where these are None."""
    images, labels, weights = toys.batch(toys.tasks())
    return images, {key: value for key, value in (labels | changed).items() if value is not None}, weights


def train(model, images, labels, weights=None):
    """Train a step on a batch, and return its logs."""
    given = (images, labels) if weights is None else (images, labels, weights)
    return model.fit(tf.data.Dataset.from_tensors(given), verbose=0).history
