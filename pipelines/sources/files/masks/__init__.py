"""Masks from files: which classes they have, what their values or colours stand for, and what speaks for it.

From outside come `declaring.declared`, which gives the label of what options and files say, and `palettes`, which reads
files of colours. What a set of masks does not say is told by `evidence` over its values.
"""
