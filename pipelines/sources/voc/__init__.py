"""The source "voc"."""

from pipelines.sources.voc.source import Voc

__all__ = ["Voc"]
