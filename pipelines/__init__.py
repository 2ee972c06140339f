"""Labelled images as tf.data: sources, augmentation and batches; knows nothing of models."""

from pipelines.datasets import Datasets
from pipelines.errors import DataError
from pipelines.kinds.spec import LabelSpec
from pipelines.loading import load
from pipelines.packing import pack
from pipelines.packs.writing import Packed
from pipelines.sources import names, options
from pipelines.sources.recognition import find, recognise
from pipelines.surveying import survey

__all__ = [
    "DataError",
    "Datasets",
    "LabelSpec",
    "Packed",
    "find",
    "load",
    "names",
    "options",
    "pack",
    "recognise",
    "survey",
]
