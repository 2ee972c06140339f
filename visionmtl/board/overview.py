"""A run as a whole: its recipe and its versions as texts, its settings beside those of other runs."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorboard.plugins.hparams import api

from visionmtl.recipe.keys import leaves
from visionmtl.recipe.sections import Recipe

ABOUT = "about.json"  # a run's own account of its sessions, the last of which is shown
SHOWN = ("model", "balancing", "training")  # sections whose keys are compared between runs
MARKS = "*_`[]<>\\|~#"  # of Markdown
HOW = ("verbose", "log", "checkpoint", "profile", "watch")  # keys of them that only say what is written


def write(
    writers: Mapping[str, tf.summary.SummaryWriter],
    run: Path,
    recipe: Recipe,
    compared: Mapping[str, str],
    step: int = 0,
) -> None:
    """Write a run's recipe and its versions as texts of the run `train`, and its settings.

    The settings are of the run `validation`, as the metrics beside them are: TensorBoard finds none of a run that lies
    in a folder below.

    Args:
        writers: of the runs `train` and `validation`.
        run: the run folder.
        recipe: what is trained.
        compared: the curves of validation whose last values stand beside the settings, by title.
        step: how many are behind.
    """
    with writers["train"].as_default():
        tf.summary.text("recipe", f"```yaml\n{recipe.dump()}\n```", step=step)
        if about := _session(run):  # in a table, TensorBoard breaks even short words
            told = "\n".join(f"- **{key}**: {_line(value)}" for key, value in about)
            tf.summary.text("session", told, step=step)
    with writers["validation"].as_default():
        chosen = dict(settings(recipe))
        metrics = [api.Metric(tag, display_name=title) for title, tag in compared.items()]
        api.hparams_config([api.HParam(name) for name in chosen], metrics)
        api.hparams(chosen, trial_id=run.name, start_time_secs=time.time())


def settings(recipe: Recipe) -> Iterator[tuple[str, str | int | float | bool]]:
    """Yield the keys of a recipe that are compared between runs, each with its value as TensorBoard takes it.

    Example:
        >>> chosen = dict(settings(visionmtl.recipe.load("garments")))
        >>> chosen["balancing.method"], chosen["training.epochs"], chosen["data.image_size"]
        ('uncertainty', 3, '[128, 128]')
    """
    told = recipe.model_dump(mode="json")
    chosen = {"data": {key: told["data"][key] for key in ("image_size", "batch_size")}}
    chosen |= {part: {key: value for key, value in told[part].items() if not key.startswith(HOW)} for part in SHOWN}
    for name, value in leaves(chosen):
        yield name, value if isinstance(value, str | int | float | bool) else json.dumps(value)


def _session(run: Path) -> Sequence[tuple[str, Any]]:
    """Return what a run says of its last session, flat; nothing where it says nothing."""
    try:
        last = json.loads((run / ABOUT).read_text(encoding="utf-8"))[-1]
    except (OSError, ValueError, LookupError):
        return []
    return [*((key, value) for key, value in last.items() if key != "versions"), *last.get("versions", {}).items()]


def _line(value: Any) -> str:
    """Return a value in one line of Markdown, all of its signs as they are."""
    text = " ".join(str(value).split())
    return f"`{text}`" if any(sign in text for sign in MARKS) else text
