"""Packs: a data set rewritten as shards of TFRecord, what is in them, and whether they are still what they were."""
