"""The recipe of a merged model: the tasks and the data of all runs, and what the first says of everything else."""

from collections.abc import Sequence
from typing import Any

from visionmtl.errors import UsageError
from visionmtl.merging.members import Member
from visionmtl.recipe import Recipe, changed

DATA = ("source", "path", "sources", "joined", "options")  # what says which pictures are read


def of_all(members: Sequence[Member], name: str) -> Recipe:
    """Return the recipe that a merged model is evaluated by, and trained further.

    Runs of one data set are of that; of several each becomes a source of its own, named as its run.

    Raises:
        UsageError: the runs have several data sets, and one of them several sources.
    """
    first = members[0].recipe
    tasks = {task: options for member in members for task, options in member.tasks.items()}
    return changed(
        first,
        {
            "name": name,
            "tasks": tasks,
            "model.sharing": {"name": "hard", "own_necks": True},
            "balancing": {"method": "equal"},
            "training.freeze": [],
            "training.freeze_statistics": [],
            "training.monitor": "val_score",
            **({} if _one_data_set(members) else _sources(members)),
        },
    )


def _one_data_set(members: Sequence[Member]) -> bool:
    first, *others = ([getattr(member.recipe.data, key) for key in DATA] for member in members)
    return all(other == first for other in others)


def _sources(members: Sequence[Member]) -> dict[str, Any]:
    """Return what of a recipe says that each run's data are a source."""
    sources: dict[str, Any] = {}
    for member in members:
        data, name = member.recipe.data, member.run.resolve().name
        if data.source is None:
            raise UsageError(
                f"'{member.run}' has several sources, {', '.join(data.sources)}, and the other runs have other data: a"
                " merged model's recipe has a source for each run; merge runs of the same data, or of one source each."
            )
        sources[f"{name}-{len(sources) + 1}" if name in sources else name] = {
            "source": data.source,
            "path": data.path,
            "options": data.options,
            "tasks": {task: task for task in member.model.tasks},
        }
    plain: dict[str, Any] = {"data.source": None, "data.path": None, "data.options": {}, "data.joined": False}
    return plain | {"data.sources": sources, "data.sampling": {"method": "proportional"}}
