"""Methods that weigh the tasks by the Gramian of their gradients: one a file, named as it is chosen.

From outside: nothing; they are had by `visionmtl.balancing.get`. `solvers.py` and `common.py` are what several use.
A new one is a file with one class on `gramian_method.GramianMethod`; `unit_norm.py` is a short one to copy.
"""
