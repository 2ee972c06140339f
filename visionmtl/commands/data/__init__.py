"""`visionmtl data`: what can be done with a data set; one file a verb.

Only the parser imports from here. A new verb is one file with a subclass of `Command`, as `pack.py`. What lies behind
it and takes long to import is in a file whose name begins with an underscore.
"""

from collections.abc import Mapping

from visionmtl.commands.command import Command, commands_of


class Data(Command):
    """Look at a data set, pack it, convert it, or divide it."""

    rank = 7
    examples = "visionmtl data inspect data/camvid"

    @property
    def verbs(self) -> Mapping[str, Command]:
        return commands_of(__name__)
