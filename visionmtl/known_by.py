"""By which file a folder is known that a command writes, and is gone on with."""

COMPARISON = "comparison.yaml"  # what is asked of `visionmtl compare`
COMPARED = "comparison.json"  # what it has measured
AFFINITY = "affinity.json"  # what `visionmtl affinity` has seen
STUDY = "tune.yaml"  # what is asked of `visionmtl tune`
