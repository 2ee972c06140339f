"""The source "csv"."""

from pipelines.sources.csv.source import Csv

__all__ = ["Csv"]
