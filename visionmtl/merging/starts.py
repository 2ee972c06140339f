"""What a run began with: its backbone before training, made again from its recipe."""

import json
from collections.abc import Callable, Sequence

import numpy as np

from visionmtl.errors import UsageError
from visionmtl.merging.members import Member
from visionmtl.merging.task_vectors import Arrays
from visionmtl.model import MultiTaskModel
from visionmtl.training import runs

MakeModel = Callable[[str | None], MultiTaskModel]


def common(members: Sequence[Member], fresh: MakeModel, stages: list[str]) -> Arrays:
    """Return the variables of a backbone's stages that all runs began with.

    Args:
        members: the runs.
        fresh: makes a model with such a backbone from `model.weights`.
        stages: their names, in the order of the variables.

    Raises:
        UsageError: a run began with weights that nobody kept, or with others than the first.
    """
    first, *others = members
    known = {_key(first): _of(first, fresh, stages)}
    for member in others:
        key = _key(member)
        if key not in known:
            known[key] = _of(member, fresh, stages)
        if not _same(known[key], known[_key(first)]):
            raise UsageError(
                f"'{first.run}' and '{member.run}' cannot be merged: they began with different weights"
                f" ({_told(first)}; {_told(member)}), and what training added is comparable from one start alone."
            )
    return known[_key(first)]


def _of(member: Member, fresh: MakeModel, stages: list[str]) -> Arrays:
    """Return what the backbone of one run began with."""
    weights, start = member.recipe.model.weights, member.recipe.model.start
    if weights is None and not start:
        raise UsageError(
            f"'{member.run}' began with random weights, which nobody kept: merge takes runs from one start, such as"
            " model.weights=imagenet or model.start=RUN."
        )
    try:
        model = fresh(weights)
        sources = [runs.load_model(each)[0] for each in member.recipe.model.starts]
        given = zip(start if isinstance(start, dict) else [""], sources, strict=True) if sources else ()
        taken = model.start_from(dict(given))[0] if sources else []
    except UsageError as error:
        raise UsageError(f"What '{member.run}' began with ({_told(member)}) is not to be had: {error}") from None
    if weights is None and (new := [stage for stage in stages if stage not in taken]):
        raise UsageError(
            f"'{member.run}' began {', '.join(new)} with random weights, which nobody kept: its start ({_told(member)})"
            " has no such layers, and merge takes runs whose whole backbone began from one."
        )
    return [values for stage in stages for values in model.get_layer(stage).get_weights()]


def _key(member: Member) -> str:
    return json.dumps([member.recipe.model.weights, member.recipe.model.start])


def _same(one: Arrays, other: Arrays) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _told(member: Member) -> str:
    model = member.recipe.model
    parts = {"model.weights": model.weights, "model.start": model.start}
    return ", ".join(f"{key}={json.dumps(value)}" for key, value in parts.items() if value)
