"""How tasks share a network: one file a scheme, named as it is chosen; `base/` is what they have in common.

From outside come `get`, `names`, `describe` and what a scheme of one's own is made of: `Scheme`, `Made`, `Auxiliary`,
`Penalty`, `Matrix`. A new scheme is one file here with a subclass of `Scheme`, whose docstring shows how.
"""

from typing import Any

import keras

from pipelines import discovery
from visionmtl.errors import UsageError, nearest, one_of
from visionmtl.sharing.base.built import Auxiliary, Built, Made, Matrix, Penalty
from visionmtl.sharing.base.scheme import Scheme
from visionmtl.sharing.hard import Hard

# The baseline leads.
SCHEMES: dict[str, type[Scheme]] = {Hard.name: Hard} | discovery.classes(__name__, Scheme)


def names() -> list[str]:
    """Return the names of the sharing schemes."""
    return list(SCHEMES)


def describe(name: str) -> str:
    """Return one line about a sharing scheme.

    Raises:
        UsageError: the name is unknown.
    """
    return (SCHEMES[one_of(name, SCHEMES, "sharing scheme")].__doc__ or "").strip().partition("\n")[0]


def get(scheme: str | dict[str, Any] | Scheme, **options: Any) -> Scheme:
    """Return a sharing scheme from its name, from `{"name": ..., option: value}`, or as it is if it is one already.

    Raises:
        UsageError: the name or an option is unknown.

    Example:
        >>> get("hard", until="P3").until
        'P3'
    """
    if isinstance(scheme, Scheme):
        return scheme
    if isinstance(scheme, dict) and "class_name" in scheme:  # one of the user's own
        return keras.saving.deserialize_keras_object(scheme)
    if isinstance(scheme, dict):
        options = {key: value for key, value in scheme.items() if key != "name"} | options
    name = scheme.get("name", "hard") if isinstance(scheme, dict) else scheme
    cls = SCHEMES[one_of(name, SCHEMES, "sharing scheme")]
    known = cls().get_config()
    for option in options:
        if option not in known:
            raise UsageError(
                f"Sharing scheme '{name}' has no option '{option}'.{nearest(option, known)}"
                f" Valid: {', '.join(known) or 'none'}."
            )
    return cls(**options)


def serialize(scheme: Scheme) -> dict[str, Any]:
    """Return the dictionary from which `get` makes the scheme again."""
    if SCHEMES.get(scheme.name) is not type(scheme):
        return keras.saving.serialize_keras_object(scheme)
    return {"name": scheme.name, **scheme.get_config()}


__all__ = [
    "Auxiliary",
    "Built",
    "Made",
    "Matrix",
    "Penalty",
    "Scheme",
    "describe",
    "get",
    "names",
    "serialize",
]
