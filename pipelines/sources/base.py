"""What every source is: a class that declares its layouts and options, and reads what is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, NamedTuple

from pipelines.contract import Request, Source
from pipelines.errors import DataError, one_of
from pipelines.sources.layouts import Layout


class Option(NamedTuple):
    """An option of a source: its name, its value where none is given, what it means, and its values if they are few."""

    name: str
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()


def option(default: Any, meaning: str, choices: Sequence[str] = (), check: Callable[[Any], Any] | None = None) -> Any:
    """Return the field of a source's class that is an option.

    Args:
        default: its value where none is given.
        meaning: what it means, in a line.
        choices: the values it may have, if they are few; another is refused.
        check: returns what a value stands for; a ValueError says what was expected.
    """
    return field(default=default, metadata={"meaning": meaning, "choices": tuple(choices), "check": check})


@dataclass(frozen=True)
class Format:
    """One format of data, or one collection: the base of every class that a file or folder of `sources/` defines.

    The first line of such a class's docstring is its sentence in `visionmtl list sources`; its fields are its options.

    Attributes:
        layouts: those by which a folder is recognised as one of this format; none if it is read by its name alone.

    Example:
        >>> @dataclass(frozen=True)
        ... class Blank(Format):
        ...     "White pictures, as many as asked for."
        ...     count: int = option(10, "number of pictures")
        >>> Blank.options()
        (Option(name='count', default=10, meaning='number of pictures', choices=()),)
    """

    layouts: ClassVar[tuple[Layout, ...]] = ()

    def __post_init__(self) -> None:
        for own in self.options():
            if own.choices:
                one_of(getattr(self, own.name), own.choices, own.name)
        for each in fields(self):
            check, value = each.metadata.get("check"), getattr(self, each.name)
            try:
                object.__setattr__(self, each.name, check(value) if check else value)
            except ValueError as error:
                raise DataError(f"Option {each.name} is {value!r}: expected {error}.") from None

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """Return the source's options in the order of its fields, those that it shares with most others last."""
        names = [name for each in cls.__mro__ for name in vars(each).get("__annotations__", {})]
        ordered = sorted(fields(cls), key=lambda each: names.index(each.name))
        return tuple(Option(own.name, own.default, own.metadata["meaning"], own.metadata["choices"]) for own in ordered)

    def adapted(self, request: Request) -> Request:
        """Return a request as the source is to be given it: whole, where an option divides it otherwise."""
        return request

    def read(self, request: Request) -> Source:
        """Read the splits and tasks asked for.

        Raises:
            DataError: they cannot be read, or are not there.
        """
        raise NotImplementedError
