"""The source "garments"."""

from pipelines.sources.garments.source import Garments

__all__ = ["Garments"]
