"""Which tasks to train together: what one joint training says of how its tasks get on.

From outside comes `watch.AffinityWatch`. A new score is a function in a file of its own, of what a `look` saw.
"""
