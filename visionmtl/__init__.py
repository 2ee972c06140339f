"""visionmtl: one Keras model that classifies, detects and segments an image from one shared backbone.

The public names are loaded when they are first used, so that `import visionmtl` and `visionmtl --help` are quick. This
file imports nothing: until it is read, Ctrl-C has a stack trace of Python's own.
"""

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Alternating": "visionmtl.step",
    "BalancedModel": "visionmtl.step",
    "MultiTaskModel": "visionmtl.model",
    "Classification": "visionmtl.tasks",
    "Depth": "visionmtl.tasks",
    "Detection": "visionmtl.tasks",
    "Segmentation": "visionmtl.tasks",
    "UsageError": "visionmtl.errors",
}
_ROOMS = {
    "backbones": "visionmtl.backbones",
    "balancing": "visionmtl.balancing",
    "boxes": "visionmtl.tasks.boxes",
    "callbacks": "visionmtl.callbacks",
    "export": "visionmtl.export",
    "gradient_watch": "visionmtl.callbacks.gradient_watch",
    "images": "visionmtl.images",
    "layers": "visionmtl.layers",
    "merging": "visionmtl.merging",
    "metrics": "visionmtl.metrics",
    "necks": "visionmtl.model.necks",
    "prediction": "visionmtl.prediction",
    "recipe": "visionmtl.recipe",
    "runs": "visionmtl.training.runs",
    "sharing": "visionmtl.sharing",
    "tasks": "visionmtl.tasks",
    "training": "visionmtl.training",
}

__all__ = ["__version__", *_HOMES, *_ROOMS]


def __getattr__(name: str) -> "Any":
    import importlib

    if name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _ROOMS:
        value = importlib.import_module(_ROOMS[name])
    else:
        raise AttributeError(f"module 'visionmtl' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
