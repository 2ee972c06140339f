"""What each way of sharing costs and what it brings, by one `visionmtl compare`; prints one Markdown table.

    python benchmarks/sharing.py [--schemes hard mtan "{name: hard, until: P3}"] [--seeds 3] [--write]

Every scheme is an arm of one comparison on the embedded garments, with all tasks of equal weight, and so is a model for
each task alone: one budget, learning rates chosen on validation, metrics of the test split, delta-m paired by seed.
Parameters, memory and seconds are the comparison's. What it does not measure is added: the multiplications and
additions of convolutions and matrix products in a forward pass of one image, and a training step as a ratio to that of
`hard`, both run in rounds in one process, so that other work on the cores slows them alike (the median over rounds).

What is finished is kept under `runs/sharing-...`: the same command goes on where it stopped, and takes more schemes;
`--merge DIR` takes over what a comparison of the same recipe has trained.

`--costs` trains nothing: it prints parameters, operations and the step alone, by the seconds of this process on the
cores, all schemes in turn. With `--write` each table goes between marks of its own.
"""

import argparse
import gc
import json
import math
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import interleaved
import keras
import tensorflow as tf
import yaml

from visionmtl import recipe, sharing
from visionmtl.comparison.verdicts import columns, sentences
from visionmtl.comparison.verdicts.judging import Judged, Judgement, judge
from visionmtl.comparison.verdicts.reading import Arm, read
from visionmtl.report import tables
from visionmtl.training import building

TASKS = ("classification", "detection", "segmentation")
RESULTS = Path(__file__).with_name("RESULTS.md")
MARKS = ("<!-- sharing: begin -->", "<!-- sharing: end -->")
COSTS = ("<!-- sharing costs: begin -->", "<!-- sharing costs: end -->")


def settings(options) -> list[str]:
    """Return what the recipe of all arms changes of garments: the budget."""
    return [
        f"data.image_size=[{options.size}, {options.size}]",
        f"data.options={{train: {options.train}, validation: 400, test: 1000}}",
        f"training.epochs={options.epochs}",
        f"training.validate_every={options.epochs}",
        "balancing.watch=null",
        "balancing.method=equal",
    ]


def command(options, folder: Path) -> list[str]:
    """Return the words of the comparison."""
    given = ["garments", *settings(options), "--vary", f"model.sharing={','.join(options.schemes)}"]
    given += ["--search", f"learning_rate={','.join(options.rates)}"]
    given += ["--merge", *options.merge] if options.merge else []
    given += ["--no-fixed", "--seeds", str(options.seeds), "--evaluate", "test", "--jobs", str(options.jobs)]
    return ["compare", *given, "--run", str(folder)]


def recipe_of(options, arm: Arm | None = None, task: str | None = None) -> recipe.Recipe:
    """Return the recipe of an arm, of none that of hard sharing; or that of a task alone."""
    changes = [f"{key}={json.dumps(value)}" for key, value in arm.changes.items()] if arm else ["model.sharing=hard"]
    whole = recipe.load("garments", [*settings(options), *changes])
    if task is None:
        return whole
    alone = json.dumps({task: (whole.tasks or {}).get(task, {})})
    return recipe.load("garments", [*settings(options), *changes, f"tasks={alone}"])


def multiplications(model: keras.Model) -> int:
    """Return the multiplications and additions of convolutions and matrix products, for one image."""
    image = tf.TensorSpec((1, *model.image_shape), tf.float32)
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(image).graph
    total = 0
    for operation in graph.get_operations():
        if "Call" in operation.type or "While" in operation.type:
            raise NotImplementedError(f"{operation.type} '{operation.name}' hides what it computes.")
        read = [tensor.shape for tensor in operation.inputs]
        made = math.prod(operation.outputs[0].shape) if operation.type in COUNTED else 0
        total += 2 * COUNTED[operation.type](operation, read, made) if made else 0
    return total


def _einsum(operation, read, made) -> int:
    """Return the products of an einsum of two tensors: one for each combination of all its letters."""
    letters = operation.get_attr("equation").decode().partition("->")[0].split(",")
    sizes = {
        letter: size
        for term, shape in zip(letters, read, strict=True)
        for letter, size in zip(term, shape, strict=True)
    }
    return math.prod(sizes.values())


def _product(operation, read, made) -> int:
    across = "transpose_a" if operation.type == "MatMul" else "adj_x"
    return made * read[0][-2 if operation.get_attr(across) else -1]


COUNTED = {
    "Conv2D": lambda operation, read, made: made * math.prod(read[1][:3]),
    "DepthwiseConv2dNative": lambda operation, read, made: made * math.prod(read[1][:2]),
    "MatMul": _product,
    "BatchMatMulV2": _product,
    "Einsum": _einsum,
}


def built(plan: recipe.Recipe):
    """Return a compiled model and a function that trains one step of it on the first batch."""
    keras.utils.set_random_seed(0)
    datasets = building.data(plan, ["train"])
    model = building.model(plan, datasets.specs, 100)
    batch = next(iter(datasets.splits["train"]))
    model.make_train_function()
    return model, lambda: float(model.train_function([batch])["loss"])


def costs(options, arm: Arm) -> dict:
    """Return an arm's backbones, operations and step ratio; of the models of each task alone the sums."""
    plans = [recipe_of(options, task=task) for task in TASKS] if arm.alone else [recipe_of(options, arm)]
    made = [built(plan) for plan in plans]
    steps = {"hard": built(recipe_of(options))[1], **{str(index): step for index, (_, step) in enumerate(made)}}
    times = interleaved.seconds(steps, options.rounds)
    together = [sum(each) for each in zip(*(times[str(index)] for index in range(len(made))), strict=True)]
    deepest = [max(part for part in model.parts if re.fullmatch(r"P\d+", part)) for model, _ in made]
    return {
        "backbones": sum(len(model.parts[level]) for (model, _), level in zip(made, deepest, strict=True)),
        "operations": sum(multiplications(model) for model, _ in made),
        "step": statistics.median(together),
        "ratio": interleaved.ratio(together, times["hard"]),
    }


def table(judgement: Judgement, kept: dict[str, dict]) -> str:
    """Return the table of a comparison's arms, with their costs, and the verdicts below."""
    metrics = columns.metric_columns(judgement)
    head = ["sharing", "backbones", "parameters", "GFLOPs", "step / `hard`", "peak GB"]
    rows = [
        [
            "a model for each task" if judged.arm.alone else scheme(judged.arm),
            kept[judged.arm.name]["backbones"],
            f"{judged.arm.cost('parameters') / 1e6:.2f} M",
            f"{kept[judged.arm.name]['operations'] / 1e9:.3f}",
            f"{kept[judged.arm.name]['ratio']:.2f}",
            f"{judged.arm.cost('memory') / 1e9:.2f}",
            *(column.cells[index] for column in metrics),
            "" if judged.arm.alone else sentences.with_interval(judged.delta_m),
            f"{judged.arm.cost('seconds'):.0f} s",
        ]
        for index, judged in enumerate(judgement.arms)
    ]
    whole = tables.markdown([*head, *(column.head for column in metrics), "delta-m [95%]", "training"], rows)
    below = [sentences.best(judgement), sentences.chance(judgement), *sentences.notes(judgement)]
    said = [f"- {verdict(judged)}" for judged in judgement.arms if judged.gains]
    return "\n".join([whole, "", *said, "", " ".join(filter(None, below))])


def verdict(judged: Judged) -> str:
    """Return what was found of an arm, in a line."""
    return f"{scheme(judged.arm)}: {sentences.of_arm(judged)}."


def scheme(arm: Arm) -> str:
    """Return an arm's way of sharing as a recipe has it."""
    value = arm.changes["model.sharing"]
    options = ", ".join(f"{key}: {option}" for key, option in value.items()) if isinstance(value, dict) else ""
    return f"`{{{options}}}`" if options else f"`{value}`"


def costs_alone(options) -> str:
    """Return the table of what schemes cost, of models that are not trained but for the steps that are timed."""
    arms = [Arm(name=text, changes={"model.sharing": yaml.safe_load(text)}) for text in options.schemes]
    made = {arm.name: built(recipe_of(options, arm)) for arm in arms}
    times = interleaved.seconds(
        {name: step for name, (_, step) in made.items()}, options.rounds, clock=time.process_time
    )
    rows = [
        [
            scheme(arm),
            f"{made[arm.name][0].count_params() / 1e6:.2f} M",
            f"{multiplications(made[arm.name][0]) / 1e9:.3f}",
            f"{interleaved.ratio(times[arm.name], times['hard']):.2f}",
        ]
        for arm in arms
    ]
    return tables.markdown(["sharing", "parameters", "GFLOPs", "step / `hard`"], rows)


def write(text: str, marks: tuple[str, str] = MARKS) -> None:
    """Put a table between its marks in RESULTS.md."""
    page = RESULTS.read_text(encoding="utf-8")
    if any(page.count(mark) != 1 for mark in marks):
        raise SystemExit(f"{RESULTS.name} needs one line '{marks[0]}' and one '{marks[1]}' to write between.")
    before, after = page.split(marks[0])[0], page.split(marks[1])[1]
    RESULTS.write_text(f"{before}{marks[0]}\n{text}\n{marks[1]}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schemes", nargs="+", default=sharing.names(), help="default: all that are registered")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", type=int, default=64, help="of the square images in pixels")
    parser.add_argument("--train", type=int, default=1600, help="scenes")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rates", nargs="+", default=["2e-3", "4e-3"], help="learning rates to choose from")
    parser.add_argument("--merge", nargs="+", default=[], metavar="DIR", help="comparisons to take trainings over from")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once")
    parser.add_argument("--rounds", type=int, default=9, help="steps that are timed")
    parser.add_argument("--costs", action="store_true", help="print what schemes cost, and train none")
    parser.add_argument("--write", action="store_true", help=f"put the table into {RESULTS.name}")
    options = parser.parse_args()
    options.schemes = ["hard", *(scheme for scheme in options.schemes if scheme != "hard")]
    if options.costs:
        print(text := costs_alone(options))
        if options.write:
            write(text, COSTS)
        return
    folder = Path("runs") / f"sharing-{options.size}-{options.train}-{options.epochs}"
    if status := subprocess.run([sys.executable, "-m", "visionmtl", *command(options, folder)]).returncode:
        raise SystemExit(status)
    judgement = judge(read(folder))
    path = folder / "costs.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for arm in judgement.comparison.ordered:
        if arm.name not in kept:
            kept[arm.name] = costs(options, arm)
            path.write_text(json.dumps(kept, indent=1), encoding="utf-8")
            keras.backend.clear_session()
            gc.collect()
    text = table(judgement, kept)
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
