"""The source "csv"."""

from pipelines.sources.csv.source import csv

__all__ = ["csv"]
