"""visionmtl: one Keras model that classifies, detects and segments an image from one shared backbone.

The public names are loaded when they are first used, so that `import visionmtl` and `visionmtl --help` are quick.
"""

import importlib
from typing import Any

from visionmtl.errors import UsageError

__version__ = "0.1.0"

_HOMES = {
    "Alternating": "visionmtl.alternating",
    "BalancedModel": "visionmtl.balanced",
    "MultiTaskModel": "visionmtl.model",
    "Classification": "visionmtl.tasks",
    "Depth": "visionmtl.tasks",
    "Detection": "visionmtl.tasks",
    "Segmentation": "visionmtl.tasks",
}
_ROOMS = (
    "backbones",
    "balancing",
    "boxes",
    "callbacks",
    "export",
    "gradient_watch",
    "images",
    "layers",
    "metrics",
    "necks",
    "prediction",
    "recipe",
    "runs",
    "sharing",
    "tasks",
    "training",
)

__all__ = ["UsageError", "__version__", *_HOMES, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"visionmtl.{name}")
    else:
        raise AttributeError(f"module 'visionmtl' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
