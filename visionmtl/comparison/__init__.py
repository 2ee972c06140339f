"""Did sharing pay: several trainings, side by side; what goes on here may train and predict.

From outside come `delta_m`, and of each folder what its own `__init__.py` names. A new way to compare is a folder here.
"""
