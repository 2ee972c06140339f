"""Samples read, kept, and made into batches."""
