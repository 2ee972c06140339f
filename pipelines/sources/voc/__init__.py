"""The source "voc"."""

from pipelines.sources.voc.source import voc

__all__ = ["voc"]
