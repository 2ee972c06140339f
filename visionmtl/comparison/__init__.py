"""Did sharing pay: several runs, side by side.

From outside comes `delta_m`. What compares runs is one file here, and may train and predict.
"""
