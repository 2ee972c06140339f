"""The kinds of label, one file a kind, named as `LabelSpec.kind` names it; `kind.Kind` is what each of them answers.

From outside: `of(spec)`, `get`, `names` and `register` of this folder, `kind.Kind`, `spec.LabelSpec`, and `following`.
A new kind is one more file here with a subclass of `Kind`, or, in a file of one's own, that and a call of `register`.
"""

import functools
from typing import cast

from pipelines import discovery
from pipelines.errors import DataError, one_of
from pipelines.kinds.kind import Kind, Spec

_REGISTERED: dict[str, type[Kind]] = {}


@functools.cache
def _held() -> dict[str, type[Kind]]:
    """The kinds that this folder holds."""
    return cast("dict[str, type[Kind]]", discovery.classes(__name__, Kind))


def names() -> list[str]:
    """Return the names of all kinds."""
    return [*_held(), *_REGISTERED]


def get(name: str) -> type[Kind]:
    """Return the class of a kind.

    Raises:
        DataError: there is no such kind; the message suggests the nearest.
    """
    one_of(name, names(), "kind of label")
    return _held().get(name) or _REGISTERED[name]


def of(spec: Spec) -> Kind:
    """Return the kind of a label: what is to be done with labels that are as `spec` says."""
    return get(spec.kind)(spec)


def register(name: str, kind: type[Kind]) -> None:
    """Add a kind that lies outside this folder.

    Args:
        name: what `LabelSpec.kind` calls it.
        kind: the class.

    Raises:
        DataError: another kind has this name.

    Example:
        >>> class Attributes(Kind): ...
        >>> pipelines.kinds.register("attributes", Attributes)
    """
    if name in _held() or _REGISTERED.get(name, kind) is not kind:
        raise DataError(f"There is a kind of label '{name}' already: give yours another name.")
    _REGISTERED[name] = kind
