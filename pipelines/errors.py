"""What is wrong with somebody's data: the exception, the list of what was skipped, and the check of a name."""

import contextlib
import difflib
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

OnError = Literal["stop", "skip"]  # what is done at a broken sample or label
MANY = 12  # names that an error does not list where one of them is near
ON_ERROR: tuple[str, ...] = get_args(OnError)


class DataError(ValueError):
    """Data that cannot be used, told in one sentence that names the file and the field."""


class MissingSplitError(DataError):
    """A split asked for that a source does not have."""


@dataclass
class Problems:
    """Raises at the first problem, or with `on_error="skip"` lists each in `skipped`."""

    on_error: str = "stop"
    skipped: list[str] = field(default_factory=list)

    def report(self, message: str) -> None:
        """Raise a `DataError` that says how to go on without, or note that what `message` tells of is skipped."""
        if self.on_error == "stop":
            raise DataError(f"{message.removesuffix('.')} (set data.on_error to skip to leave it out).")
        self.skipped.append(message)

    @property
    def first(self) -> str:
        """The first of what was skipped, as a sentence behind one that says that nothing is left; or nothing."""
        return f" The first of {len(self.skipped)} problems: {self.skipped[0]}" if self.skipped else ""


def sentence_of(error: Exception) -> str | None:
    """Return the sentence of a `DataError`, also of one raised within a data set, which TensorFlow tells at length."""
    if isinstance(error, DataError):
        return str(error)
    told = re.search(r"\bDataError: (.+?)\nTraceback \(most recent call last\)", str(error), re.DOTALL)
    return told and told[1].strip()


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Raise what was raised within a data set as what it was: a `DataError` of one sentence."""
    try:
        yield
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None or isinstance(error, DataError):
            raise
        raise DataError(sentence) from None


@contextlib.contextmanager
def noted() -> Iterator[list[str]]:
    """Give a list that in the end holds the warnings meant for a user, in place of showing them."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield notes
    notes += [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)]


def one_of(name: str, valid: Iterable[str], what: str, error: type[Exception] = DataError) -> str:
    """Return `name` if it is one of `valid`.

    Raises:
        DataError, or the `error` given: it is not; the message suggests the nearest valid name and lists them all, but
            for many where one is near.

    Example:
        >>> one_of("resnet50", ["resnet50", "resnet101"], "backbone")
        'resnet50'
    """
    valid = list(valid)
    if name in valid:
        return name
    suggestion = nearest(name, valid)
    listed = "" if suggestion and len(valid) > MANY else f" Valid: {', '.join(valid)}."
    raise error(f"Unknown {what} '{name}'.{suggestion}{listed}")


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the valid name closest to `name`, or an empty string if none is close.

    Example:
        >>> nearest("NashMTL", ["cagrad", "nash_mtl"])
        " Did you mean 'nash_mtl'?"
    """
    found = closest(name, valid)
    return "" if found is None else f" Did you mean '{found}'?"


def closest(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name closest to `name`, or None if none is close.

    Case, dashes and underscores do not count. What a name begins with stands for it, the shortest of several, before
    one that is spelt like it.

    Example:
        >>> closest("unc", ["equal", "uncertainty"])
        'uncertainty'
    """
    plain, known = _plain(str(name)), {_plain(each): each for each in reversed(list(valid))}
    begun = [each for each in known if len(plain) > 1 and each.startswith(plain)]
    match = sorted(begun, key=len)[:1] or difflib.get_close_matches(plain, known, n=1, cutoff=0.5)
    return known[match[0]] if match else None


def _plain(name: str) -> str:
    """Return a name as it is compared."""
    return re.sub(r"[-_ ]", "", name).lower()
