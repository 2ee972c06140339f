"""The routes of a server, one file for those of a kind, behind one gate.

From outside comes `application`. A new route goes into the file of its kind; `gate` counts and bounds it as all others.
"""

from visionmtl.serving.web.application import application

__all__ = ["application"]
