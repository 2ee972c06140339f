"""A section whose keys depend on the name that one of them chooses, and what of a recipe's a name chosen anew takes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from visionmtl import balancing, sharing
from visionmtl.recipe import Recipe
from visionmtl.recipe.sections import Balancing


@dataclass(frozen=True)
class Group:
    """A section of which one key chooses, a balancing method or a sharing scheme, and others go beside what is chosen.

    Attributes:
        section: as `balancing`.
        chooser: the key that chooses.
        plain: the section's keys that count whatever is chosen.
        names: returns what can be chosen.
        takes: returns what goes beside a name.
    """

    section: str
    chooser: str
    plain: tuple[str, ...]
    names: Callable[[], Iterable[str]]
    takes: Callable[[str], Iterable[str]]

    @property
    def key(self) -> str:
        """The full key that chooses."""
        return f"{self.section}.{self.chooser}"

    def of(self, recipe: Recipe) -> dict[str, Any]:
        """Return the section of a recipe."""
        section: Any = recipe
        for word in self.section.split("."):
            section = getattr(section, word)
        return dict(section.model_dump(mode="json"))


GROUPS = (
    Group("balancing", "method", tuple(Balancing.model_fields), balancing.names, balancing.options),
    Group("model.sharing", "name", ("name",), sharing.names, lambda name: sharing.get(name).get_config()),
)


class Fitted(NamedTuple):
    """Changes that a recipe takes, and a sentence for each of its keys that they leave out."""

    changes: dict[str, Any]
    left_out: list[str]


def fitted(recipe: Recipe, changes: Mapping[str, Any]) -> Fitted:
    """Return changes to a recipe, with what it says beside its own method or scheme left out where another has no such.

    Args:
        recipe: what is changed.
        changes: by full key, as `recipe.changed` takes them.

    Example:
        A recipe of `gradnorm` with `alpha: 1` becomes one of `equal`, which has no `alpha`, by
        `fitted(recipe, {"balancing.method": "equal"}).changes`, that is `{"balancing": {"method": "equal", ...}}`.
    """
    made, left_out = dict(changes), list[str]()
    for group in GROUPS:
        own, name = group.of(recipe), changes.get(group.key)
        if name is None or name == own[group.chooser] or name not in group.names() or group.section in changes:
            continue
        taken = {group.chooser, *group.plain, *group.takes(name)}
        without = [key for key in own if key not in taken and f"{group.section}.{key}" not in changes]
        if without:
            del made[group.key]
            kept = {key: value for key, value in own.items() if key not in without}
            made = {group.section: kept | {group.chooser: name}, **made}
            left_out += [f"'{name}' is without the recipe's {group.section}.{key}: it has no such." for key in without]
    return Fitted(made, left_out)
