"""What TensorBoard shows of a training beside its curves, and under which names; one thing a file.

The callbacks write by it: `events` opens a run's file, `names` has the groups of charts in the order in which they are
shown, `windows` the losses between two points of a curve. A new dashboard is a file with a function that writes it.
"""
