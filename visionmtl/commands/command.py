"""What every command is: its help, its examples, its arguments and what it does."""

import argparse
from collections.abc import Mapping
from typing import ClassVar

from pipelines import discovery


class Command:
    """One word of the command line. The first line of a subclass's docstring is its help, its file's name the word.

    A word that Python has taken (`list`) names its file with an underscore behind (`list_.py`).

    Attributes:
        rank: where help shows it, lower ones first.
        examples: command lines to copy, one a line.
        more: text that its help ends with.
    """

    rank: ClassVar[int] = 100
    examples: ClassVar[str]
    more: ClassVar[str] = ""

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return (self.__doc__ or "").partition("\n")[0]

    @property
    def verbs(self) -> Mapping[str, "Command"]:
        """The words that follow this one, by name; none for a command that runs by itself."""
        return {}

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what may follow the word."""

    def run(self, args: argparse.Namespace) -> int | None:
        """Do it, and return the exit status; None for 0.

        Raises:
            UsageError, pipelines.DataError: the user's own mistake, in one sentence.
        """
        raise NotImplementedError


def commands_of(package: str) -> dict[str, Command]:
    """Return the commands that a folder holds by the words that call them, in the order in which help shows them."""
    commands = {name.removesuffix("_"): kind() for name, kind in discovery.classes(package, Command).items()}
    return dict(sorted(commands.items(), key=lambda item: item[1].rank))
