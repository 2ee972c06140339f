"""Labelled images as tf.data: sources, augmentation and batches; knows nothing of models.

The public names are loaded when they are first used: what lies on the ground (errors, files) costs nothing to import.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines import kinds
    from pipelines.converting import Converted, convert
    from pipelines.datasets import Datasets
    from pipelines.errors import DataError
    from pipelines.kinds.spec import LabelSpec
    from pipelines.loading import load
    from pipelines.packing import pack
    from pipelines.packs.writing import Packed
    from pipelines.recognising import find, recognise
    from pipelines.sources import names, options
    from pipelines.splitting import Divided, split
    from pipelines.surveying import survey

_HOMES = {
    "Converted": "pipelines.converting",
    "DataError": "pipelines.errors",
    "Datasets": "pipelines.datasets",
    "Divided": "pipelines.splitting",
    "LabelSpec": "pipelines.kinds.spec",
    "Packed": "pipelines.packs.writing",
    "convert": "pipelines.converting",
    "find": "pipelines.recognising",
    "load": "pipelines.loading",
    "names": "pipelines.sources",
    "options": "pipelines.sources",
    "pack": "pipelines.packing",
    "recognise": "pipelines.recognising",
    "split": "pipelines.splitting",
    "survey": "pipelines.surveying",
}

__all__ = [
    "Converted",
    "DataError",
    "Datasets",
    "Divided",
    "LabelSpec",
    "Packed",
    "convert",
    "find",
    "kinds",
    "load",
    "names",
    "options",
    "pack",
    "recognise",
    "split",
    "survey",
]


def __getattr__(name: str) -> Any:
    if name == "kinds":
        return importlib.import_module("pipelines.kinds")
    if name not in _HOMES:
        raise AttributeError(f"module 'pipelines' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
