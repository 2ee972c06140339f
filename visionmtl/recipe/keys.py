"""Every key of a recipe, with its default and what it means."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from visionmtl.recipe.sections import Recipe, Sharing


class Key(NamedTuple):
    """One line of `visionmtl list keys`."""

    name: str
    default: str
    description: str


def each_key(section: type[BaseModel] = Recipe, prefix: str = "") -> Iterator[Key]:
    """Yield every key of a recipe with its default and what it means, in the order of the file."""
    for name, field in section.model_fields.items():
        inner = section_of(field.annotation)
        if inner is not None and inner is not Sharing:
            several = f"{name}.<name>" if is_by_names(field.annotation) else name
            yield from each_key(inner, f"{prefix}{several}.")
        else:
            default = "" if field.is_required() else field.get_default()
            default = default.name if isinstance(default, Sharing) else default
            yield Key(
                prefix + name, default if isinstance(default, str) else json.dumps(default), field.description or ""
            )


def leaves(settings: Mapping[Any, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key of what was read from YAML in full, as "model.sharing.name", with its value.

    Example:
        >>> dict(leaves({"data": {"path": "here", "options": {}}}))
        {'data.path': 'here', 'data.options': {}}
    """
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{within}{key}.")
        else:
            yield f"{within}{key}", value


def section_of(annotation: Any) -> type[BaseModel] | None:
    """Return the section an annotation such as `Augmentation | None` stands for, if it stands for one."""
    options = [annotation, *getattr(annotation, "__args__", ())]
    return next((kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def is_by_names(annotation: Any) -> bool:
    """Whether an annotation is of sections by names that are free, as `dict[str, OneSource]`."""
    return getattr(annotation, "__origin__", None) is dict
