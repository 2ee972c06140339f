"""What TensorFlow's profiler recorded of a run, and what TensorBoard needs to show it."""

import importlib.util
from pathlib import Path

INSTALL = "pip install 'visionmtl[profile]'"


def can_be_shown() -> bool:
    """Return whether the plugin of TensorBoard is installed that has the dashboard Profile."""
    return importlib.util.find_spec("xprof") is not None


def of(run: Path) -> list[Path]:
    """Return the records of a run folder."""
    return sorted((run / "tensorboard").glob("*/plugins/profile/*/*.xplane.pb"))
