"""Packs: a data set rewritten as shards of TFRecord, what is in them, and whether they are still what they were.

From outside, `pipelines.pack` writes one and the source "packed" reads it; `catalogue` says what is in it. What a label
is in a pack is its kind's to say: a new kind changes nothing here, and another format is another `catalogue.FORMAT`.
"""
