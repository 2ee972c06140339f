"""Stands for `visionmtl train`: it learns nothing and writes what a run would have, within a tenth of a second.

Its accuracy is ten times the learning rate, its mIoU that of a table by balancer. A weight decay of 0.5 fails, and a
dropout of 0.25 where segmentation is learnt alone, at seed 1. With STUB_WAITS in the environment it waits for a signal,
then stops as a training does.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import yaml

GOOD = {"pcgrad": 0.5, "fixed": 0.6}


def main(words):
    """Train, go on, or measure; return the exit status."""
    if words[0] == "evaluate":
        path = Path(words[1], "metrics.json")
        metrics = json.loads(path.read_text())
        path.write_text(json.dumps(metrics | {words[3]: metrics["validation"]}))
        return 0
    resumed = words[1] == "--resume"
    run = Path(words[2] if resumed else words[3])
    file = run / "recipe.yaml" if resumed else Path(words[1])
    recipe = yaml.safe_load(file.read_text())
    run.mkdir(parents=True, exist_ok=True)
    (run / "recipe.yaml").write_text(file.read_text())
    (run / "checkpoints" / "1").mkdir(parents=True, exist_ok=True)
    with (run.parent / "began").open("a") as began:
        began.write(f"{run.name}{' again' if resumed else ''}\n")
    if "STUB_WAITS" in os.environ:
        signal.signal(signal.SIGTERM, lambda *given: sys.exit(75))
        (run.parent / "waiting").touch()
        time.sleep(60)
    training, method = recipe["training"], recipe["balancing"]["method"]
    if training["weight_decay"] == 0.5:
        print("visionmtl: ten steps in a row were NaN.")
        return 2
    if (recipe["model"]["dropout"], training["seed"], list(recipe["tasks"])) == (0.25, 1, ["segmentation"]):
        print("visionmtl: it was too dry.")
        return 2
    values = {
        "classification": {"accuracy": 10 * training["learning_rate"], "accuracy/boot": 1.0},
        "segmentation": {"mIoU": GOOD.get(method, 0.4) + 0.01 * training["seed"]},
    }
    measured = {task: values[task] for task in recipe["tasks"]}
    costs = {"seconds": 2.0, "steps": 4, "step_seconds": 0.5, "parameters": 100}
    (run / "metrics.json").write_text(json.dumps({"validation": measured, **costs}))
    epochs, steps = training["epochs"], training["steps"] or 1
    rows = [f"{epoch},{1 + epoch * (0.5 * steps + 0.5)}" for epoch in range(1, epochs + 1)]
    (run / "history.csv").write_text("\n".join(["epoch,seconds", *rows, ""]))
    (run / "report.html").write_text("<html></html>")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
