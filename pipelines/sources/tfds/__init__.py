"""The source "tfds"."""

from pipelines.sources.tfds.source import Tfds

__all__ = ["Tfds"]
