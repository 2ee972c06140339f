"""The arms of a comparison: the baseline, a model for each task; the combinations asked for; tuned fixed weights."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from visionmtl.comparison.choosing import fitted
from visionmtl.comparison.compare import wording
from visionmtl.comparison.compare.asking import Asked
from visionmtl.comparison.compare.cells import Cell, hash_of
from visionmtl.comparison.compare.searching import collides, searched
from visionmtl.comparison.compare.surveying import Survey, check_monitor
from visionmtl.comparison.some_tasks import alone
from visionmtl.errors import UsageError
from visionmtl.recipe import Recipe, changed
from visionmtl.training import building

ALONE = "single tasks"
FIXED = "tuned fixed weights"
FACTOR = 3.0  # by which the weight of one task is tried larger and smaller


@dataclass(frozen=True)
class Part:
    """A model of an arm, of which the baseline has one for each task and every other arm one.

    Attributes:
        name: what its cells are called.
        recipe: what is trained.
        groups: of candidates, changes to the recipe by key; of each group the best is taken at the first seed, then the
            next group is tried with it.
        task: the one it learns, of the baseline.
    """

    name: str
    recipe: Recipe
    groups: Sequence[Sequence[Mapping[str, Any]]] = ()
    task: str | None = None

    def cell(self, settings: Mapping[str, Any], seed: int) -> Cell:
        """Return its training with some settings at a seed."""
        recipe = changed(self.recipe, {**fitted(self.recipe, settings).changes, "training.seed": seed})
        return Cell(self.name, recipe, ", ".join(words(settings)))


@dataclass(frozen=True)
class Arm:
    """One row of the table.

    Attributes:
        name: in a few words.
        changes: to the recipe, by key.
        parts: its models.
        left_out: a sentence for each key of the recipe that is not the arm's.
    """

    name: str
    changes: Mapping[str, Any]
    parts: Sequence[Part] = field(repr=False)
    left_out: Sequence[str] = ()

    @property
    def alone(self) -> bool:
        """Whether it is the baseline."""
        return any(part.task is not None for part in self.parts)


def arms(recipe: Recipe, asked: Asked, survey: Survey) -> list[Arm]:
    """Return the arms of a comparison: the baseline, then those asked for, then that of tuned fixed weights.

    Raises:
        UsageError: see `varied`; or an arm monitors what is not logged.
    """
    own = [_fixed(recipe, survey, asked.candidates)] if asked.fixed else []
    joint = [_of_one_length(arm, recipe, survey) for arm in [*varied(recipe, asked), *own]]
    for part in (part for arm in joint for part in arm.parts):
        for option in [{}, *(option for group in part.groups for option in group)]:
            if not option or "training.monitor" in option:
                check_monitor(changed(part.recipe, option), survey)
    return [_baseline(recipe, survey, asked.candidates), *joint]


def varied(recipe: Recipe, asked: Asked) -> list[Arm]:
    """Return the arms asked for, of which all is known without the data.

    Raises:
        UsageError: the recipe refuses a change, a name is unknown, two arms train the same, or what is searched is of
            no arm.
    """
    made, seen = [], dict[str, str]()
    names = wording.names(asked.arms, _known(recipe, asked.arms))
    for name, changes in zip(names, asked.arms, strict=True):
        if twice := [key for key in asked.search if collides(changes, key)]:
            raise UsageError(f"'{twice[0]}' is searched for every arm: it cannot differ between arms too.")
        of = fitted(recipe, changes)
        whole = changed(recipe, of.changes)
        found = searched(whole, asked.candidates)
        part = Part(name, whole, found.groups)
        _check(part)
        if (twin := hash_of(part.recipe)) in seen:
            told = " ".join(f"{key}={value}" for key, value in changes.items()) or "the recipe as it is"
            raise UsageError(f"The arm '{told}' is there twice: it trains the same as '{seen[twin]}'.")
        seen[hash_of(part.recipe)] = name
        without = [f"'{name}' is not searched over {key}: it has no such." for key in found.left_out]
        made.append(Arm(name, changes, [part], [*of.left_out, *without]))
    tried = {key for arm in made for part in arm.parts for group in part.groups for each in group for key in each}
    for key in asked.search:
        if key not in tried:
            raise UsageError(f"--search was given '{key}', which no arm has: search what one of the arms takes.")
    return made


def _check(part: Part) -> None:
    """Return if every name of a part's recipe, and of its candidates, is known.

    Raises:
        UsageError: one is not.
    """
    building.check_names(part.recipe)
    for option in (option for group in part.groups for option in group):
        building.check_names(changed(part.recipe, fitted(part.recipe, option).changes))


def words(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield settings in a few words each, as a log names them."""
    for key, value in settings.items():
        match value:
            case {"method": "fixed", "weights": dict() as weights}:
                yield "weights " + " ".join(f"{task} {weight:.3g}" for task, weight in weights.items())
            case {"method": method}:
                yield str(method)
            case _:
                yield f"{key.rpartition('.')[2]} {value:g}" if isinstance(value, float) else f"{key} {value}"


def _known(recipe: Recipe, given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a recipe has for the keys that arms change, as they would write it."""
    sharing = recipe.model.sharing
    base: dict[str, Any] = {
        "model.sharing": {"name": sharing.name, **sharing.options} if sharing.options else sharing.name,
        "balancing.method": recipe.balancing.method,
        "model.backbone": recipe.model.backbone,
    }
    settings = recipe.model_dump(mode="json")
    for key in (key for changes in given for key in changes):
        value: Any = settings
        for word in key.split("."):
            value = value.get(word) if isinstance(value, dict) else None
        base.setdefault(key, value)
    return base


def _of_one_length(arm: Arm, recipe: Recipe, survey: Survey) -> Arm:
    """Return an arm whose epochs are as long as those of all, however it draws samples from several sources."""
    steps = {"training.steps": recipe.training.steps or survey.steps}

    def one(part: Part) -> Part:
        drawn = any(key.startswith("data.sampling") for group in part.groups for option in group for key in option)
        alike = part.recipe.data.sampling == recipe.data.sampling and not drawn
        return part if alike else replace(part, recipe=changed(part.recipe, steps))

    return replace(arm, parts=[one(part) for part in arm.parts])


def _baseline(recipe: Recipe, survey: Survey, candidates: Sequence[Mapping[str, Any]]) -> Arm:
    """Return the arm of a model for each task: nothing is shared, nothing weighed."""
    parts, said = [], []
    for task in survey.tasks:
        single = alone(recipe, task, survey.tasks)
        if recipe.data.mixed:  # without the sources of other tasks an epoch would have a length of its own
            single = changed(single, {"training.steps": recipe.training.steps or survey.steps})
        found = searched(single, candidates, never=("balancing", "model.sharing"))
        said = [f"'{ALONE}' is not searched over {key}: nothing is shared or weighed." for key in found.left_out]
        parts.append(Part(f"single {task}", single, found.groups, task))
        _check(parts[-1])
    return Arm(ALONE, {}, parts, [*_unlike(recipe, parts), *said])


def _unlike(recipe: Recipe, parts: Sequence[Part]) -> Iterator[str]:
    """Yield in which ways models for a task each are trained unlike a joint one, beside that they share nothing."""
    if any(part.recipe.training.monitor != recipe.training.monitor for part in parts):
        yield (
            f"training.monitor is {recipe.training.monitor}: of '{ALONE}' a model for another task is that of the epoch"
            " at which its own val_score was best."
        )
    if recipe.data.sources and not recipe.data.joined:
        yield (
            f"Of several sources a model of '{ALONE}' sees those that label its task, for as many steps: in these a"
            " joint model sees pictures of the others too."
        )
    if recipe.data.sampling.method == "alternate":
        yield f"data.sampling is alternate: a model of '{ALONE}' learns its task in every step, a joint one in turn."


def _fixed(recipe: Recipe, survey: Survey, candidates: Sequence[Mapping[str, Any]]) -> Arm:
    """Return the arm whose tasks have constant weights, tuned: what a balancer must beat."""
    watch, names = recipe.balancing.watch, list(survey.tasks)
    equal = {"method": "equal", "watch": watch}
    tried: list[dict[str, Any]] = [{"balancing": equal}]
    for task in names:
        for factor in (FACTOR, 1 / FACTOR):
            weights = {name: factor if name == task else 1.0 for name in names}
            scale = len(names) / sum(weights.values())
            weights = {name: round(weight * scale, 6) for name, weight in weights.items()}
            option = {"balancing": {"method": "fixed", "watch": watch, "weights": weights}}
            if option not in tried:  # of two tasks, more of one is less of the other
                tried.append(option)
    base = changed(recipe, {"balancing": equal})
    found = searched(base, candidates, never=("balancing",))
    said = [f"'{FIXED}' is not searched over {key}: its weights are what is searched." for key in found.left_out]
    return Arm(FIXED, {"balancing.method": "fixed"}, [Part(FIXED, base, [tried, *found.groups])], said)
