"""Stages of a backbone, run one after the other, shared up to a level."""

from collections.abc import Callable, Mapping
from typing import Any

import keras

from visionmtl.errors import UsageError, one_of

Maps = dict[str, keras.KerasTensor]  # {"P2": [B, H / 4, W / 4, C2], ...}


Stages = list[tuple[str, keras.Model]]  # a backbone cut into (level, model), image -> P2 -> P3 -> ...


def run_stages(stages: Stages, x) -> Maps:
    """Return the maps of consecutive stages, by level."""
    maps = {}
    for level, stage in stages:
        x = maps[level] = stage(x)
    return maps


def split_after(until: str | None, stages: Stages, what: str = "level to share until") -> int:
    """Return how many stages there are up to and including a level; 0 for None.

    Raises:
        UsageError: the backbone has no such level.
    """
    levels = [level for level, _ in stages]
    return 0 if until is None else levels.index(one_of(until, levels, what)) + 1


def stem_and_branches(
    name: str, until: str | None, image, tasks: Mapping[str, Any], make_stages: Callable[[str], Stages]
) -> tuple[Maps, Any, dict[str, Stages]]:
    """Build the stages that all tasks share and those that each has of its own.

    Args:
        name: of the scheme, for the message.
        until: the last level of the stem; None for none.
        image: what the stem reads.
        tasks: by name.
        make_stages: as for `Scheme.features`.

    Returns:
        The stem's maps, what the branches read, and each task's stages, which are not run yet.

    Raises:
        UsageError: the backbone has no level `until`, or it is the last.
    """
    stem: Maps = {}
    if until is not None:
        shared = make_stages("")
        split = split_after(until, shared)
        if split == len(shared):
            raise UsageError(
                f"sharing '{name}' was given until='{until}', the backbone's last level, which leaves the tasks nothing"
                f" of their own: take {' or '.join(level for level, _ in shared[:-1]) or 'None'}, or the scheme 'hard'."
            )
        stem = run_stages(shared[:split], image)
    start = image if until is None else stem[until]
    return stem, start, {task: make_stages(f"{task}_")[len(stem) :] for task in tasks}
