"""The state of a training in one file: written whole, checked by its SHA-256, found again, given back.

From outside come `folder` for the checkpoints of a run, `state` for a model's variables as arrays, and `Interval`. What
is to be kept beside variables is for a callback to say: see `callbacks.Callback.keep`.
"""

from visionmtl.checkpoints.interval import Interval

__all__ = ["Interval"]
