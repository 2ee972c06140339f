"""The source "folder": pictures whose labels are where they lie, in class folders or as masks beside them.

From outside comes the one class below. `classes.py` finds class folders, `pairs.py` images with masks; both from the
names of folders in a `Tree`, told apart by `structure.py`. `places.py` lists what is in them.
"""

from pipelines.sources.folder.source import Folder

__all__ = ["Folder"]
