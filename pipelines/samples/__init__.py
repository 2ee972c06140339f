"""Samples: read once and checked, kept in memory, and made into batches.

From outside come `batching.Batching`, `reading.visit` and `compiled`, and `memory.Memory`.
A new place to keep samples gives a `memory.Reader`, as `Memory.freeze` does.
"""
