"""Trained models in forms that other programs load; one file a format."""

from visionmtl.export.saved_model import save

__all__ = ["save"]
