"""Hyperparameters as a class declares them, one a line: the default, what it means and its range.

    smoothing: float = number(1.0, "mu; small comes near the hard maximum", above=0)

From these lines follow the arguments a method takes, the errors about them and its config.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from visionmtl.errors import UsageError, nearest


class Hyperparameter:
    """A value that a method can be given: an attribute that is checked when it is set.

    Args:
        default: what it is where nothing is given.
        meaning: for people, in a few words.
        name: by which it is given, where that is not the attribute's.
    """

    attribute: str
    expected: str  # what it may be, as an error says it

    def __init__(self, default: Any, meaning: str, name: str = "") -> None:
        self.default, self.meaning, self.name = default, meaning, name

    def __set_name__(self, owner: type, attribute: str) -> None:
        self.attribute, self.name = attribute, self.name or attribute

    def __get__(self, method: Any, owner: type | None = None) -> Any:
        return self if method is None else vars(method).get(self.attribute, self.default)

    def __set__(self, method: Any, value: Any) -> None:
        if not self.allows(value):
            raise UsageError(
                f"balancing '{method.method_name}' was given {self.name}={value!r}: expected {self.expected}."
            )
        vars(method)[self.attribute] = self.kept(value)

    def allows(self, value: Any) -> bool:
        """Return whether it may be this."""
        raise NotImplementedError

    def kept(self, value: Any) -> Any:
        """Return the value as it is kept."""
        return value


class Number(Hyperparameter):
    """A number in a range; see `number`."""

    def __init__(
        self,
        default: float,
        meaning: str,
        above: float | None = None,
        at_least: float | None = None,
        up_to: float | None = None,
        below: float | None = None,
        whole: bool = False,
    ) -> None:
        super().__init__(default, meaning)
        self.above, self.at_least, self.up_to, self.below, self.whole = above, at_least, up_to, below, whole
        bounds = {"above": above, "of at least": at_least, "up to": up_to, "below": below}
        limits = " and ".join(f"{words} {bound:.10g}" for words, bound in bounds.items() if bound is not None)
        self.expected = f"a {'whole ' * whole}number {limits}"

    def allows(self, value: Any) -> bool:
        if not isinstance(value, int | float) or isinstance(value, bool) or (self.whole and value % 1 != 0):
            return False
        low = (self.above is None or value > self.above) and (self.at_least is None or value >= self.at_least)
        return low and (self.up_to is None or value <= self.up_to) and (self.below is None or value < self.below)

    def kept(self, value: Any) -> Any:
        return int(value) if self.whole else float(value)


class NumberOrNone(Number):
    """A number in a range, or None where nothing is asked for; see `number_or_none`."""

    def __init__(self, meaning: str, above: float | None = None, at_least: float | None = None) -> None:
        super().__init__(0.0, meaning, above, at_least)
        self.default = None
        self.expected += ", or null"

    def allows(self, value: Any) -> bool:
        return value is None or super().allows(value)

    def kept(self, value: Any) -> Any:
        return None if value is None else super().kept(value)


class Choice(Hyperparameter):
    """One of some names; see `choice`."""

    def __init__(self, default: str, options: Sequence[str], meaning: str, levels: bool = False) -> None:
        super().__init__(default, meaning)
        self.options, self.levels = tuple(options), levels
        *names, last = [*self.options, "a level such as P5"] if levels else self.options
        self.expected = f"{', '.join(names)} or {last}"

    def allows(self, value: Any) -> bool:
        return value in self.options or (self.levels and is_level(value))


def is_level(value: Any) -> bool:
    """Return whether a value is the name of a level of a backbone."""
    return isinstance(value, str) and re.fullmatch(r"P[0-9]+", value) is not None


# As with a field of a data class, what a class declares is the descriptor and what its objects have is the value: the
# functions say Any for the one, and the annotation beside them says the other.


def number(
    default: float,
    meaning: str,
    *,
    above: float | None = None,
    at_least: float | None = None,
    up_to: float | None = None,
    below: float | None = None,
) -> Any:
    """Declare a number of a range: of at least `at_least` or `above` it, and perhaps up to `up_to` or `below` it."""
    return Number(default, meaning, above, at_least, up_to, below)


def number_or_none(meaning: str, *, above: float | None = None, at_least: float | None = None) -> Any:
    """Declare a number of a range, as `number` does, that may be left out, and is by default."""
    return NumberOrNone(meaning, above, at_least)


def limit_of_norm() -> Any:
    """Declare `Balancer.max_norm` of a method whose authors clip the gradient of what the tasks share."""
    return number_or_none("largest norm of the gradient of what several tasks train; null for no limit", above=0)


def whole(default: int, meaning: str, *, at_least: int, up_to: int | None = None) -> Any:
    """Declare a whole number of a range, both ends in it."""
    return Number(default, meaning, at_least=at_least, up_to=up_to, whole=True)


def choice(default: str, options: Sequence[str], meaning: str, levels: bool = False) -> Any:
    """Declare one of some names, or with `levels` that of a level of the backbone too."""
    return Choice(default, options, meaning, levels)


def seed_of(what: str) -> Any:
    """Declare the seed of something drawn at random."""
    return whole(0, f"seed of {what}", at_least=0, up_to=2**31 - 1)


def check_names(method: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise UsageError for the first name given that is none of a method's hyperparameters."""
    known = list(known)
    for name in given:
        if name not in known:
            valid = ", ".join(known) or "none"
            raise UsageError(
                f"balancing '{method}' has no hyperparameter '{name}'.{nearest(name, known)} Valid: {valid}."
            )
