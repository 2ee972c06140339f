"""Balancers that need each number of the task gradients: one a file, named as it is chosen.

From outside: nothing; they are had by `visionmtl.balancing.get`, and loaded by their registered names.
A new one is a file with one class on `elementwise_balancer.ElementwiseBalancer`; `graddrop.py` is a short one to copy.
"""
