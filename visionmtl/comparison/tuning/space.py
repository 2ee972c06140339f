"""A search space: what may be drawn for which keys, and which keys count only beside some method."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from visionmtl.comparison.choosing import GROUPS, Group, fitted
from visionmtl.comparison.tuning import dimensions
from visionmtl.comparison.tuning.dimensions import Choices, Dimension, Simplex, text_of
from visionmtl.errors import UsageError, nearest
from visionmtl.recipe import Recipe

if TYPE_CHECKING:
    import optuna


FIXED = ("name", "tasks", "training.monitor")


@dataclass(frozen=True)
class Searched:
    """A key that is drawn.

    Attributes:
        name: as it was given, which is what Optuna calls it.
        key: of the recipe.
        dimension: what may be drawn.
        group: on whose choice it depends; None for a key that always counts.
        beside: the names that it counts beside.
    """

    name: str
    key: str
    dimension: Dimension
    group: Group | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Space:
    """All keys that are drawn, in the order in which they are: what others depend on comes first.

    Attributes:
        keys: those keys.
        recipe: what is not drawn.
    """

    keys: Sequence[Searched]
    recipe: Recipe

    def draw(self, trial: "optuna.Trial") -> dict[str, Any]:
        """Return values by key for a trial, of those that count."""
        drawn: dict[str, Any] = {}
        for each in self.keys:
            if each.group is None or self._chosen(each.group, drawn) in each.beside:
                drawn[each.key] = each.dimension.draw(trial, each.name)
        return drawn

    def overrides(self, drawn: Mapping[str, Any]) -> list[str]:
        """Return the changes to the recipe, as a command line has them, that give it the values drawn; see `fitted`."""
        return [f"{key}={text_of(value)}" for key, value in fitted(self.recipe, drawn).changes.items()]

    def left_out(self) -> list[str]:
        """Return a sentence for each key of the recipe that a method or scheme that may be drawn has no place for."""
        given = (fitted(self.recipe, drawn).left_out for drawn in self.examples())
        return list(dict.fromkeys(itertools.chain.from_iterable(given)))

    def examples(self) -> list[dict[str, Any]]:
        """Return draws that the recipe must take, whatever else is drawn: of each key its extremes, one at a time."""
        tried: list[dict[str, Any]] = []
        for each in self.keys:
            for value in each.dimension.extremes():
                for name in each.beside or (None,):
                    chosen = {each.group.key: name} if each.group and name else {}
                    tried.append({**chosen, each.key: value})
        return tried

    def with_tasks(self, tasks: Sequence[str]) -> "Space":
        """Return the space with the names of the tasks, which weights on the simplex are drawn for."""
        keys = [
            replace(each, dimension=Simplex(tasks)) if isinstance(each.dimension, Simplex) else each
            for each in self.keys
        ]
        return replace(self, keys=keys)

    def _chosen(self, group: Group, drawn: Mapping[str, Any]) -> str:
        return drawn.get(group.key, group.of(self.recipe)[group.chooser])


def parse(texts: Sequence[str], recipe: Recipe) -> Space:
    """Return the space that `--search` asks for.

    Args:
        texts: each `key=values`, see `dimensions.parse`. A hyperparameter counts beside the methods drawn that take it;
            `balancing.cagrad.c` is that of one of them.
        recipe: what is not drawn.

    Raises:
        UsageError: one cannot be read, or counts beside nothing that can be drawn.
    """
    given: dict[str, tuple[str, Dimension]] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip()
        if not equals or not name.strip(". "):
            raise UsageError(f"--search {text} is not of the form key=values, as training.learning_rate=1e-4..1e-2.")
        if name in FIXED:
            raise UsageError(f"--search {text}: {name} says what trials are compared by, and is the same for all.")
        if name in given:
            raise UsageError(f"--search {name} is there twice; give all its values at once.")
        given[name] = text, dimensions.parse(values, text)
    if not given:
        raise UsageError("Nothing to search: give at least one --search, as training.learning_rate=1e-4..1e-2.")
    choosers = {
        group: _choices(group, {name: dimension for name, (_, dimension) in given.items()}, recipe) for group in GROUPS
    }
    keys = [_searched(name, text, dimension, choosers) for name, (text, dimension) in given.items()]
    for one, other in itertools.combinations(keys, 2):
        inside = one.key.startswith(f"{other.key}.") or other.key.startswith(f"{one.key}.")
        together = set(one.beside) & set(other.beside) or not (one.beside and other.beside)
        if (one.key == other.key or inside) and together:
            raise UsageError(f"--search {one.name} and --search {other.name} draw the same key: give it once.")
    if recipe.tasks is None and any(each.key.startswith("tasks.") for each in keys):
        raise UsageError(
            "--search of a task's option: the recipe names no tasks, and would train that one alone; name them, as "
            "tasks=[cars, ground]."
        )
    return Space(sorted(keys, key=lambda each: each.group is not None), recipe)


def _choices(group: Group, given: Mapping[str, Dimension], recipe: Recipe) -> list[str]:
    """Return the names that may be chosen in a group."""
    keys = group.key, group.section
    drawn = next((given[key] for key in keys if key in given), None)
    return list(drawn.values) if isinstance(drawn, Choices) else [group.of(recipe)[group.chooser]]


def _searched(name: str, text: str, dimension: Dimension, choosers: Mapping[Group, Sequence[str]]) -> Searched:
    """Return one key with what it depends on."""
    if isinstance(dimension, Simplex) and not name.endswith(".weights"):
        raise UsageError(f"--search {text}: simplex draws the weights of tasks, as balancing.weights=simplex.")
    for group, drawn in choosers.items():
        if name in (group.section, group.key):
            for each in drawn:
                if each not in group.names():
                    raise UsageError(
                        f"--search {text}: there is no '{each}'.{nearest(each, group.names())} "
                        f"Valid: {', '.join(group.names())}."
                    )
            return Searched(name, group.key, dimension)
        if name.startswith(f"{group.section}."):
            word, _, option = name.removeprefix(f"{group.section}.").partition(".")
            if not option and word in group.plain:
                return Searched(name, name, dimension)
            within = bool(option) and word not in group.names()  # a hyperparameter that is a mapping, as weights
            of = [word] if option and not within else list(drawn)
            option = option if option and not within else word
            if not set(of) <= set(drawn):
                raise UsageError(
                    f"--search {text}: '{word}' is not drawn; add it to {group.section}.{group.chooser}, for which "
                    f"there is {', '.join(drawn)}."
                )
            beside = tuple(each for each in of if option in group.takes(each))
            if not beside:
                valid = list(dict.fromkeys(key for each in of for key in group.takes(each)))
                raise UsageError(
                    f"--search {text}: {' or '.join(of)} takes no '{option}'.{nearest(option, valid)} "
                    f"Valid: {', '.join(valid) or 'nothing'}."
                )
            key = name if within else f"{group.section}.{option}"
            return Searched(name, key, dimension, group, beside)
    return Searched(name, name, dimension)
