"""The best settings of a recipe, searched by Optuna in a study that can be killed and gone on with.

From outside come `tune`, `go_on` and `export`. A new way to write what may be drawn is a class in `dimensions.py`.
"""

from visionmtl.comparison.tuning.session import export, go_on, tune

__all__ = ["export", "go_on", "tune"]
