"""The commands of the command line: `train.py` is `visionmtl train`, and `data/pack.py` is `visionmtl data pack`.

Only the parser imports from here. A new command is one file with a subclass of `command.Command` (`check.py` is a short
neighbour to copy); it imports TensorFlow, and all that takes long, inside `run`.
"""
