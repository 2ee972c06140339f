"""Everything in a folder accounted for: its tree of files, what became of each, and how that is told.

A source says of its files and annotations what they are used as, or by which rule they are set aside; the rest was not
understood. From outside come `tree.Tree`, `account.Account` and its `Balance`; a rule on names is a line of `rules.py`.
"""
