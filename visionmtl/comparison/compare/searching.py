"""What of a search an arm has a place for: what goes beside a method or a scheme counts where one is that takes it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from visionmtl.comparison.choosing import GROUPS, Group
from visionmtl.recipe import Recipe


class Searched(NamedTuple):
    """The candidates of an arm, each once, and the keys searched that it has no place for."""

    candidates: list[dict[str, Any]]
    left_out: list[str]

    @property
    def groups(self) -> list[list[dict[str, Any]]]:
        """The candidates as a part takes them: no group where none changes anything."""
        return [self.candidates] if any(self.candidates) else []


def searched(recipe: Recipe, candidates: Sequence[Mapping[str, Any]], never: Collection[str] = ()) -> Searched:
    """Return what of the candidates is an arm's.

    Args:
        recipe: the arm's.
        candidates: every combination of the values searched, by key.
        never: sections that are not searched for this arm.

    Example:
        Of `balancing.c` beside `balancing.method`, searched over cagrad and pcgrad, there is one candidate of pcgrad.
    """
    kept: list[dict[str, Any]] = []
    for candidate in candidates:
        own = {key: value for key, value in candidate.items() if _has_place(key, candidate, recipe, never)}
        if own not in kept:
            kept.append(own)
    keys = dict.fromkeys(key for candidate in candidates for key in candidate)
    return Searched(kept, [key for key in keys if not any(key in own for own in kept)])


def collides(changes: Mapping[str, Any], key: str) -> bool:
    """Return whether an arm's own changes say what is searched too."""
    said = set(changes)
    for group in GROUPS:
        value = changes.get(group.section)
        if isinstance(value, Mapping):
            said |= {f"{group.section}.{option}" for option in value}
        elif value is not None:
            said.add(group.key)
    return any(each == key or each.startswith(f"{key}.") for each in said)


def _has_place(key: str, candidate: Mapping[str, Any], recipe: Recipe, never: Collection[str]) -> bool:
    if any(key == section or key.startswith(f"{section}.") for section in never):
        return False
    for group in GROUPS:
        if key.startswith(f"{group.section}."):
            option = key.removeprefix(f"{group.section}.").partition(".")[0]
            name = _chosen(group, candidate, recipe)
            known = option in (group.chooser, *group.plain)
            return known or name not in group.names() or option in group.takes(name)
    return True


def _chosen(group: Group, candidate: Mapping[str, Any], recipe: Recipe) -> Any:
    """Return the method or scheme of a candidate: what it says itself, or the recipe's."""
    own = group.of(recipe)[group.chooser]
    value = candidate.get(group.section)
    if isinstance(value, Mapping):
        return value.get(group.chooser, own)
    return candidate.get(group.key, own if value is None else value)
