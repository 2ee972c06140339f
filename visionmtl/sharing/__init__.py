"""How tasks share the backbone: one file a scheme."""

from visionmtl.errors import UsageError, one_of
from visionmtl.sharing.hard import Hard

SCHEMES = {scheme.name: scheme for scheme in (Hard,)}


def names() -> list[str]:
    """Return the names of the sharing schemes."""
    return list(SCHEMES)


def get(scheme, **options):
    """Return a sharing scheme from its name, from `{"name": ..., option: value}`, or as it is if it is one already.

    Raises:
        UsageError: the name or an option is unknown.

    Example:
        >>> get("hard", until="P3").until
        'P3'
    """
    if hasattr(scheme, "features"):
        return scheme
    if isinstance(scheme, dict):
        options = {key: value for key, value in scheme.items() if key != "name"} | options
        scheme = scheme.get("name", "hard")
    cls = SCHEMES[one_of(scheme, SCHEMES, "sharing scheme")]
    known = cls().get_config()
    for option in options:
        if option not in known:
            raise UsageError(
                f"Sharing scheme '{scheme}' has no option '{option}'. Valid: {', '.join(known) or 'none'}."
            )
    return cls(**options)


def serialize(scheme) -> dict:
    """Return the dictionary from which `get` makes the scheme again."""
    return {"name": scheme.name, **scheme.get_config()}
