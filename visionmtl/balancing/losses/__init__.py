"""Balancers that weigh the losses: one a file, named as it is chosen, and `common.py`, what several of them use.

From outside: nothing; they are had by `visionmtl.balancing.get`, and loaded by their registered names.
A new one is a file with one class on `loss_balancer.LossBalancer`; `rlw.py` is a short one to copy.
"""
