"""What sharing schemes have in common: what a scheme is and hands back, stages and branches, penalties, evidence.

For the schemes, and for one's own: `visionmtl.sharing` gives `Scheme`, `Made`, `Auxiliary`, `Penalty` and `Matrix` on.
"""
