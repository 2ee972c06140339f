"""Signals that ask a program to stop: an exception at once, or a request while there is something to keep first."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from visionmtl.leaving import ASKING, name_of

GO_ON_LATER = 75  # EX_TEMPFAIL of sysexits.h
SAME = 1.0  # seconds within which a second signal is the first: `timeout` sends its own twice


class Stopped(KeyboardInterrupt):
    """Work that a signal stopped.

    Args:
        number: of the signal.
        sentence: how to go on; empty where nothing is left.
        resumable: whether another command goes on where this one was.

    Attributes:
        status: what a command exits with: 75 for what is to be gone on with later; for Ctrl-C, and where there is
            nothing to go on from, 128 and the number.
    """

    def __init__(self, number: int, sentence: str = "", resumable: bool = False):
        super().__init__(sentence)
        self.number = number
        self.status = GO_ON_LATER if resumable and number != signal.SIGINT else 128 + number

    @property
    def name(self) -> str:
        """What stopped it, as a user calls it."""
        return name_of(self.number)


def saying(stopped: KeyboardInterrupt, sentence: str, resumable: bool = False) -> Stopped:
    """Return what stopped a piece of work, with how to go on with it."""
    return Stopped(getattr(stopped, "number", signal.SIGINT), sentence, resumable)


@contextlib.contextmanager
def told(sentence: str, resumable: bool = False) -> Iterator[None]:
    """Say how to go on with work that a signal stops, where nothing within has said it.

    Args:
        sentence: how.
        resumable: whether another command goes on where this one was.

    Raises:
        Stopped: a signal stopped it.
    """
    try:
        yield
    except KeyboardInterrupt as stopped:
        if str(stopped):
            raise
        raise saying(stopped, sentence, resumable) from None


class Stop:
    """Whether work was asked to stop; the handler of the signals that ask.

    Attributes:
        patient: whether the first signal is only noted, for who calls `check` where stopping loses nothing. Another one
            stops at once, as each does where this is False.
        number: of the signal that asked first; None for none.
        error: raised by the next `check`, of work that must not go on for another reason.
    """

    def __init__(self) -> None:
        self.patient = False
        self.number: int | None = None
        self.error: Exception | None = None
        self._since = 0.0
        self._terminals = [handle for handle in (1, 2) if _is_terminal(handle)]

    def __call__(self, number: int, frame: FrameType | None = None) -> None:
        """Note a signal, or stop at once."""
        if number == getattr(signal, "SIGHUP", None):
            self._leave_terminal()
        now = time.monotonic()
        if self.number is None:
            self.number, self._since = number, now
            if self.patient:
                again = " Once more stops at once." if number == signal.SIGINT else ""
                _say(f"{Stopped(number).name}: saving a checkpoint and stopping after this step.{again}")
                return
        elif now - self._since < SAME:
            return
        else:  # whoever asks a third time wants no tidying either
            for each in ASKING:
                if signal.getsignal(each) is self:
                    signal.signal(each, signal.SIG_DFL)
        raise Stopped(number)

    def check(self) -> None:
        """Raise what has asked, if anything has.

        Raises:
            Stopped: a signal did.
            Exception: `error`, where it is set.
        """
        if self.error is not None:
            raise self.error
        if self.number is not None:
            raise Stopped(self.number)

    def _leave_terminal(self) -> None:
        """Write nothing more to a terminal that was closed: that would be an error of its own."""
        for handle in self._terminals:
            os.dup2(os.open(os.devnull, os.O_WRONLY), handle)


_asked: list[Stop] = []  # those that signals are told to, the innermost last


@contextlib.contextmanager
def signals(stop: Stop) -> Iterator[Stop]:
    """Have signals that ask to stop told to `stop`, and who was told before told again afterwards.

    Raises:
        Stopped: who was told before was asked already.

    A signal that is ignored, as by `nohup`, stays so; outside the main thread, which alone is told of signals, nothing
    happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    check()
    before: dict[int, Any] = {}
    _asked.append(stop)
    try:
        for number in ASKING:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, stop)
        yield stop
    finally:
        _asked.pop()
        for number, handler in before.items():
            signal.signal(number, handler)


def check() -> None:
    """Raise what a signal has asked for, where an import or a finalizer swallowed the exception of its handler.

    Raises:
        Stopped: a signal did ask.
    """
    if _asked:  # a handler would not do: one that was asked twice has given way to the system's
        _asked[-1].check()


def take_again() -> None:
    """Have signals told to whom Python tells them, where a library has taken some of them for itself."""
    if threading.current_thread() is threading.main_thread():
        for number in ASKING:
            if (handler := signal.getsignal(number)) is not None:
                signal.signal(number, handler)


def _say(text: str) -> None:
    """Write a line to the standard error; Python's own writer may be at work beneath a handler."""
    with contextlib.suppress(OSError):
        os.write(2, f"\nvisionmtl: {text}\n".encode())


def _is_terminal(handle: int) -> bool:
    try:
        return os.isatty(handle)
    except OSError:
        return False
