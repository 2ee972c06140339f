"""Signals that ask the program to stop while it is still being imported: told in a sentence, and left at once.

It imports next to nothing, for it comes first of all: what stops Python before has the stack trace of Python's start.
"""

import os
import signal
from types import FrameType

ASKING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name)
)  # some systems have not all of them
NOT_BEGUN = "It had not begun: nothing was written."


def begin() -> tuple[int, ...]:
    """Have signals end this process at once, with a sentence, and return those that do; what is ignored stays so."""
    ours = tuple(each for each in ASKING if signal.getsignal(each) in (signal.SIG_DFL, signal.default_int_handler))
    for number in ours:
        signal.signal(number, _leave)
    return ours


def end(numbers: tuple[int, ...]) -> None:
    """Have the system end this process by these signals: where all is told, none has a stack trace to show."""
    for number in numbers:
        signal.signal(number, signal.SIG_DFL)


def name_of(number: int) -> str:
    """Return what a user calls a signal."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


def _leave(number: int, frame: FrameType | None = None) -> None:
    """Leave without an exception: in a module that is read by half it would be lost, or become another one."""
    try:
        os.write(2, f"\nvisionmtl: stopped by {name_of(number)}. {NOT_BEGUN}\n".encode())
    finally:  # the terminal may be gone
        os._exit(128 + number)
