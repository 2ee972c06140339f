"""The source "tfds"."""

from pipelines.sources.tfds.source import tfds

__all__ = ["tfds"]
