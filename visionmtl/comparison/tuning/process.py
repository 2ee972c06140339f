"""A trial in a process of its own: a training as `visionmtl train` has it, whose memory goes with it, whatever ends it.

It stops with a checkpoint once the study that started it is gone, which it knows by its standard input.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from visionmtl import recipe as recipes
from visionmtl import training
from visionmtl.errors import own_mistake
from visionmtl.files import write_text
from visionmtl.training import building
from visionmtl.training.session import check_monitor


def train(run: str, recipe: str, overrides: Sequence[str]) -> None:
    """Train a trial into a run folder."""
    training.train(recipes.load(recipe, overrides), run)


def resume(run: str) -> None:
    """Go on with a trial from its checkpoint."""
    training.resume(run)


def probe(recipe: str, overrides: Sequence[str], examples: Sequence[Sequence[str]], answer: str) -> None:
    """Read a recipe's data and build its model, and write what the search needs to know of them to a file.

    What examples change of the model or its tasks is built too: they may refuse it.
    """
    read, *changed = (recipes.load(recipe, [*overrides, *changes]) for changes in ([], *examples))
    for each in (read, *changed):
        building.check_names(each)
    datasets = building.data(read, ["train", "validation"])
    model = building.model(read, datasets.specs, 1, weights=False)
    built = [(read.model, read.tasks)]
    for each in changed:
        if (each.model, each.tasks) not in built:
            built.append((each.model, each.tasks))
            building.model(each, datasets.specs, 1, weights=False)
    check_monitor(model, read.training.monitor)
    logs = [f"val_{task}_{name}" for task, values in model.task_results().items() for name in values]
    losses = ["val_loss", *(f"val_{task}_loss" for task in model.tasks)]
    falling = {f"val_{name}_{of}" for name, task in model.tasks.items() for each in task.metrics() for of in each.lower}
    known = {
        "tasks": list(model.tasks),
        "logs": ["val_score", *losses, *logs],
        "lower": [*losses, *(log for log in logs if log in falling)],
        "primary": [f"val_{name}_{task.primary}" for name, task in model.tasks.items()],
        "validated": "validation" in datasets.splits,
    }
    write_text(Path(answer), json.dumps(known))


WORK = {each.__name__: each for each in (train, resume, probe)}


def main(argv: Sequence[str]) -> int:
    """Do one of `WORK` with the arguments that a JSON object has, and return the exit status as `visionmtl` has it."""
    name, given = argv
    arguments: dict[str, Any] = json.loads(given)
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    try:
        WORK[name](**arguments)
    except KeyboardInterrupt as stopped:
        return getattr(stopped, "status", 128 + signal.SIGINT)
    except Exception as error:
        if (sentence := own_mistake(error)) is None:
            raise
        print(f"visionmtl: {sentence}", file=sys.stderr)
        return 2
    return 0


def _outlive_nobody() -> None:
    """Ask this process to stop when its standard input ends, as that of a study that was killed does."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
