"""How tasks share a network: one file a scheme."""

import keras

from visionmtl.errors import UsageError, nearest, one_of
from visionmtl.sharing.base.scheme import Matrix, Scheme
from visionmtl.sharing.cascade import Cascade
from visionmtl.sharing.cross_stitch import CrossStitched
from visionmtl.sharing.distillation import Distillation
from visionmtl.sharing.experts import Experts
from visionmtl.sharing.fusion import Fusion
from visionmtl.sharing.hard import Hard
from visionmtl.sharing.hierarchical import Hierarchical
from visionmtl.sharing.mtan import MTAN
from visionmtl.sharing.nddr import NDDR
from visionmtl.sharing.relation import Relation
from visionmtl.sharing.sluice import Sluice
from visionmtl.sharing.soft import Soft
from visionmtl.sharing.task_tokens import TaskTokens

_KNOWN = (
    Hard,
    Hierarchical,
    CrossStitched,
    Sluice,
    NDDR,
    MTAN,
    Experts,
    TaskTokens,
    Cascade,
    Distillation,
    Fusion,
    Soft,
    Relation,
)
SCHEMES: dict[str, type[Scheme]] = {scheme.name: scheme for scheme in _KNOWN}


def names() -> list[str]:
    """Return the names of the sharing schemes."""
    return list(SCHEMES)


def get(scheme, **options) -> Scheme:
    """Return a sharing scheme from its name, from `{"name": ..., option: value}`, or as it is if it is one already.

    Raises:
        UsageError: the name or an option is unknown.

    Example:
        >>> get("hard", until="P3").until
        'P3'
    """
    if hasattr(scheme, "features"):
        return scheme
    if isinstance(scheme, dict) and "class_name" in scheme:  # one of the user's own
        return keras.saving.deserialize_keras_object(scheme)
    if isinstance(scheme, dict):
        options = {key: value for key, value in scheme.items() if key != "name"} | options
        scheme = scheme.get("name", "hard")
    cls = SCHEMES[one_of(scheme, SCHEMES, "sharing scheme")]
    known = cls().get_config()
    for option in options:
        if option not in known:
            raise UsageError(
                f"Sharing scheme '{scheme}' has no option '{option}'.{nearest(option, known)}"
                f" Valid: {', '.join(known) or 'none'}."
            )
    return cls(**options)


def serialize(scheme: Scheme) -> dict:
    """Return the dictionary from which `get` makes the scheme again."""
    if SCHEMES.get(scheme.name) is not type(scheme):
        return keras.saving.serialize_keras_object(scheme)
    return {"name": scheme.name, **scheme.get_config()}


__all__ = ["Matrix", "Scheme", "get", "names", "serialize"]
