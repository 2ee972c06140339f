"""Labelled images as tf.data: sources, augmentation and batches; knows nothing of models."""

from pipelines.errors import DataError
from pipelines.loading import load
from pipelines.packing import pack
from pipelines.packs.writing import Packed
from pipelines.recognition import find, recognise
from pipelines.sources import names, options
from pipelines.specs import Datasets, LabelSpec
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
