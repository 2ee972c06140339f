"""What one backbone for three tasks reaches on garments: together, with adapters, with dense decoders, and merged.

    python benchmarks/one_backbone.py [--seeds 3] [--epochs 4] [--size 64] [--arms hard adapters decoders chosen merged]

At each seed a model for each task alone is trained, from ImageNet's weights, and so are the arms:

- `hard`: all tasks together;
- `adapters`: low-rank updates of the last blocks for each task, with the backbone trained, and with it frozen;
- `decoders`: what tasks first predict is read by all of them, as in MTI-Net and in MLoRE;
- `chosen`: what a task reads is searched for: a tree of stages by LTB, some of the experts by DSelect-k;
- `merged`: the models of one task, by each method of `visionmtl merge`, with the methods' own settings.

All have one budget and one learning rate, and losses of equal weight; metrics are of the test split, their means with
standard errors over seeds, and delta-m is over the models of one task of the same seed, with its 95% interval. Steps
take turns in one process, and processor time is their clock, so that other work on the cores does not tell: a ratio is
the median over rounds, of a step of all three models of one task for the baseline. "Of a task" is what one more task
brings but for its head and its neck: of the baseline a backbone.

What is finished is kept under `runs/one_backbone-...`: the same command goes on where it stopped, and takes more seeds
and arms.
"""

import argparse
import gc
import json
import math
import os
import re
import shutil
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import interleaved
import keras
import numpy as np

from visionmtl import merging, recipe
from visionmtl.comparison.delta_m import delta_m
from visionmtl.comparison.verdicts.intervals import interval
from visionmtl.report import tables
from visionmtl.training import building, circumstances, devices, runs

TASKS = {"classification": {}, "detection": {}, "segmentation": {"dice": 2.0}}
METRICS = {"classification": "accuracy", "detection": "AP", "segmentation": "mIoU"}
TRAINED = {
    "hard": {"`hard`": ["model.sharing=hard"]},
    "adapters": {
        "`adapters`": ["model.sharing=adapters"],
        "`adapters`, frozen backbone": ["model.sharing=adapters", "training.freeze=[backbone]"],
    },
    "decoders": {"`mti_net`": ["model.sharing=mti_net"], "`mlore`": ["model.sharing=mlore"]},
    "chosen": {"`ltb`": ["model.sharing=ltb"], "`dselect_k`": ["model.sharing=dselect_k"]},
    "merged": {},
}
ALONE = "a model for each task"
Figures = dict[str, dict[str, float]]


def changes(options, seed: int, tasks=TASKS) -> list[str]:
    """Return what a training changes of the recipe of garments: budget, tasks and seed."""
    return [
        f"data.image_size=[{options.size}, {options.size}]",
        f"data.options={{train: {options.train}, validation: 4, test: {options.test}}}",
        f"training.epochs={options.epochs}",
        f"training.learning_rate={options.rate}",
        f"training.seed={seed}",
        f"tasks={json.dumps({task: TASKS[task] for task in tasks})}",
        "training.ema=null",
        "balancing={method: equal, watch: null}",
    ]


def trained(run: Path, given: list[str]) -> Figures:
    """Train a model to the last epoch, keep it as a run, and return its metrics of the test split."""
    plan = recipe.load("garments", given)
    keras.utils.set_random_seed(plan.training.seed)
    data = building.data(plan, ["train", "test"])
    model = building.model(plan, data.specs, data.splits["train"].cardinality().numpy())
    model.fit(data.splits["train"], epochs=plan.training.epochs, shuffle=False, verbose=0)
    shutil.rmtree(run, ignore_errors=True)  # of a training that was stopped
    circumstances.keep(runs.new(plan, run), devices.alone())
    model.save_without_state(run / "best.keras")
    return of_test(model, data)


def merged(run: Path, of: list[Path], method: str, steps: int) -> Figures:
    """Merge runs, and return the metrics of what comes of it, of the test split."""
    shutil.rmtree(run, ignore_errors=True)
    merging.merge(of, run, method, steps=steps if merging.METHODS[method].steps else None)
    model, plan = runs.load_model(run)
    model.compile("adamw")
    return of_test(model, building.data(plan, ["test"], model))


def of_test(model, data) -> Figures:
    """Return the metric of each task that counts."""
    logs = model.evaluate(data.splits["test"], verbose=0, return_dict=True)
    return {task: {METRICS[task]: float(logs[f"{task}_{METRICS[task]}"])} for task in model.tasks}


def place(folder: Path, name: str, seed: int) -> Path:
    """Return the folder of one run."""
    return folder / f"{re.sub(r'[^a-z_]+', '-', name).strip('-')}-{seed}"


def measured(options, folder: Path, seed: int) -> dict[str, Figures]:
    """Return the metrics of all arms at a seed, of the models of one task together under one name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"figures-{seed}.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def cell(name: str, function, *given) -> Figures:
        run = place(folder, name, seed)
        if name not in kept:
            start = time.process_time()
            kept[name] = function(run, *given)
            path.write_text(json.dumps(kept, indent=1), encoding="utf-8")
            print(f"{run}: {kept[name]}, {time.process_time() - start:.0f} s of a processor", flush=True)
            keras.backend.clear_session()
            gc.collect()
        return kept[name]

    alone = [cell(f"alone {task}", trained, changes(options, seed, [task])) for task in TASKS]
    found = {ALONE: {task: metrics for each in alone for task, metrics in each.items()}}
    for arm in options.arms:
        for name, own in TRAINED[arm].items():
            found[name] = cell(name, trained, changes(options, seed) + own)
    if "merged" in options.arms:
        singles = [place(folder, f"alone {task}", seed) for task in TASKS]
        for method in merging.METHODS:
            found[f"merged by `{method}`"] = cell(f"merged {method}", merged, singles, method, options.steps)
    return found


def built(given: list[str]):
    """Return a compiled model and a function that trains one step of it on the first batch."""
    keras.utils.set_random_seed(0)
    plan = recipe.load("garments", given)
    datasets = building.data(plan, ["train"])
    model = building.model(plan, datasets.specs, 100)
    batch = next(iter(datasets.splits["train"]))
    model.make_train_function()
    return model, lambda: float(model.train_function([batch])["loss"])


def costs(options, of_merged: dict[str, Path]) -> dict[str, list[str]]:
    """Return the parameters of each arm, those that learn, those of a task, and of what is trained a step's ratio."""
    plans = {f"{ALONE}: {task}": changes(options, 0, [task]) for task in TASKS}
    for arm in options.arms:
        plans |= {name: changes(options, 0) + own for name, own in TRAINED[arm].items()}
    made = {name: built(given) for name, given in plans.items()}
    times = interleaved.seconds(
        {name: step for name, (_, step) in made.items()}, options.rounds, clock=time.process_time
    )
    parts = [name for name in plans if name.startswith(ALONE)]
    together = [sum(each) for each in zip(*(times[name] for name in parts), strict=True)]
    base = times.get("`hard`", together)
    found = {}
    for name, of in {ALONE: parts, **{name: [name] for name in plans if name not in parts}}.items():
        models = [made[each][0] for each in of]
        seconds = together if name == ALONE else times[name]
        found[name] = [
            *parameters(models, name == ALONE),
            f"{statistics.median(seconds):.2f} s",
            f"{interleaved.ratio(seconds, base):.2f}",
        ]
    if "merged" in options.arms:
        found |= {name: [*parameters([runs.load_model(run)[0]], False), "", ""] for name, run in of_merged.items()}
    return found


def parameters(models: list, apart: bool) -> list[str]:
    """Return the parameters of models, those that learn, and those a task has but for its head and neck."""
    learning = sum(math.prod(v.shape) for model in models for v in model.trainable_variables)
    first = next(iter(models[0].tasks))
    own = (
        [models[0].get_layer(stage) for stage in models[0].parts["backbone"]]
        if apart
        else [each for each in models[0].layers if each.name.startswith(f"adapters_of_{first}_")]
    )
    counts = [sum(model.count_params() for model in models), learning, sum(each.count_params() for each in own)]
    return [f"{count / 1e6:.2f} M" for count in counts]


def with_error(values: list[float]) -> str:
    """Return a mean with its standard error, which a single seed does not have."""
    error = f" ± {statistics.stdev(values) / math.sqrt(len(values)):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{error}"


def gain(found: dict[int, dict[str, Figures]], name: str) -> str:
    """Return an arm's delta-m over the models of one task, with its interval where there are seeds enough."""
    of = interval(np.array([delta_m(figures[name], figures[ALONE]) for figures in found.values()]))
    ends = "" if math.isnan(of.low) else f" [{100 * of.low:+.1f}, {100 * of.high:+.1f}]"
    return f"{100 * of.mean:+.1f}%{ends}"


def table(found: dict[int, dict[str, Figures]], spent: dict[str, list[str]]) -> str:
    """Return the table of all arms; what is merged has no step, as nothing is trained of it together."""
    head = ["", "parameters", "trained", "of a task", "step", "step / `hard`", *METRICS.values(), "delta-m [95%]"]
    rows = []
    for name in next(iter(found.values())):
        figures = [
            with_error([figures[name][task][metric] for figures in found.values()]) for task, metric in METRICS.items()
        ]
        rows.append([name, *spent.get(name, [""] * 5), *figures, "" if name == ALONE else gain(found, name)])
    return tables.markdown(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arms", nargs="+", default=list(TRAINED), choices=list(TRAINED))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--size", type=int, default=64, help="of the square images in pixels")
    parser.add_argument("--train", type=int, default=800, help="scenes")
    parser.add_argument("--test", type=int, default=500, help="scenes")
    parser.add_argument("--rate", default="2e-3", help="the learning rate")
    parser.add_argument("--steps", type=int, default=500, help="of adamerging")
    parser.add_argument("--rounds", type=int, default=9, help="steps that are timed; 0 for none")
    options = parser.parse_args()
    folder = Path("runs") / f"one_backbone-{options.size}-{options.train}-{options.epochs}-{options.rate}"
    found = {seed: measured(options, folder, seed) for seed in range(options.seeds)}
    of_merged = {f"merged by `{method}`": place(folder, f"merged {method}", 0) for method in merging.METHODS}
    print(table(found, costs(options, of_merged) if options.rounds else {}))


if __name__ == "__main__":
    main()
