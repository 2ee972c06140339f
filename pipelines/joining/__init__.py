"""Several sources as one: opened, their classes mapped to one list, their samples end to end.

From outside come `opening.opened` and `opening.several_opened`, and `mapping.mapper` for one source.
A new way to merge a kind's labels is a method of that kind in `kinds/`; nothing here asks which kind a label is.
"""
