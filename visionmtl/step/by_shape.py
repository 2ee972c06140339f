"""Accuracy and cross-entropy that fit the shapes of labels and output, as Keras chooses them by name."""

from typing import Any

import keras


def accuracy(truth: Any, output: Any) -> Any:
    """Return whether each sample is right, of one number a sample, of class ids or of one-hot labels."""
    names = {"binary": "binary_accuracy", "sparse": "sparse_categorical_accuracy", "full": "categorical_accuracy"}
    return getattr(keras.metrics, names[_kind(truth, output)])(truth, output)


def crossentropy(truth: Any, output: Any) -> Any:
    """Return the cross-entropy of each sample, of one number a sample, of class ids or of one-hot labels."""
    names = {
        "binary": "binary_crossentropy",
        "sparse": "sparse_categorical_crossentropy",
        "full": "categorical_crossentropy",
    }
    return getattr(keras.losses, names[_kind(truth, output)])(truth, output)


def _kind(truth: Any, output: Any) -> str:
    if output.shape[-1] == 1:
        return "binary"
    fewer = len(truth.shape) < len(output.shape)
    return "sparse" if fewer or truth.shape[-1] == 1 else "full"
