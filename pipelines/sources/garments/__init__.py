"""The source "garments"."""

from pipelines.sources.garments.source import garments

__all__ = ["garments"]
