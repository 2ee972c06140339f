"""What each way of sharing costs and what it brings; prints one Markdown table.

    python benchmarks/sharing.py [--schemes hard mtan "{name: hard, until: P3}"] [--train 800] [--epochs 6] [--write]

Costs are those of the model with all three tasks of the embedded garments: its parameters, the multiplications and
additions of convolutions and matrix products in a forward pass of one image, a training step as a ratio to that of
`hard` (both run in rounds in one process; the median over these), and the highest memory of a process that trains
three steps. Then every scheme is trained with the same budget, and so is a model for each task alone: delta-m is the
mean relative gain over those three.

What is finished is kept under `runs/sharing-...`, the run folders too: the same command goes on where it stopped.
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
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import interleaved
import keras
import tensorflow as tf

from visionmtl import recipe, sharing, training
from visionmtl.comparison.delta_m import delta_m
from visionmtl.report import tables
from visionmtl.training import building

TASKS = ("classification", "detection", "segmentation")
RESULTS = Path(__file__).with_name("RESULTS.md")
MARKS = ("<!-- sharing: begin -->", "<!-- sharing: end -->")


def recipe_of(options, scheme: str = "hard", tasks=TASKS) -> recipe.Recipe:
    """Return the garments recipe with a scheme, cut to the budget."""
    return recipe.load(
        "garments",
        [
            f"model.sharing={scheme}",
            f"tasks={json.dumps({task: {'dice': 2.0} if task == 'segmentation' else {} for task in tasks})}",
            f"data.image_size=[{options.size}, {options.size}]",
            f"data.options={{train: {options.train}, validation: 100, test: 500}}",
            f"training.epochs={options.epochs}",
            f"training.validate_every={options.epochs}",
            "balancing.watch=null",
            "training.verbose=0",
        ],
    )


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


def built(options, scheme: str = "hard", tasks=TASKS):
    """Return a compiled model and a function that trains one step of it on the first batch."""
    keras.utils.set_random_seed(0)
    plan = recipe_of(options, scheme, tasks)
    datasets = building.data(plan, ["train"])
    model = building.model(plan, datasets.specs, 100)
    batch = next(iter(datasets.splits["train"]))
    model.make_train_function()
    return model, lambda: float(model.train_function([batch])["loss"])


def costs(options, scheme: str) -> dict:
    """Return a scheme's parameters, backbones, operations, step ratio and memory."""
    model, step = built(options, scheme)
    steps = {"hard": built(options)[1], scheme: step}
    times = interleaved.seconds(steps, options.rounds)
    deepest = max(part for part in model.parts if re.fullmatch(r"P\d+", part))
    return {
        "backbones": len(model.parts[deepest]),
        "parameters": model.count_params(),
        "operations": multiplications(model),
        "step": statistics.median(times[scheme]),
        "ratio": interleaved.ratio(times[scheme], times["hard"]),
        "memory": memory(options, scheme),
    }


def costs_alone(options) -> dict:
    """Return the same of three models for a task each, one after the other: sums, and the highest memory."""
    made = {task: built(options, tasks=[task]) for task in TASKS}
    times = interleaved.seconds(
        {"hard": built(options)[1], **{task: step for task, (_, step) in made.items()}}, options.rounds
    )
    together = [sum(each) for each in zip(*(times[task] for task in TASKS), strict=True)]
    return {
        "backbones": len(TASKS),
        "parameters": sum(model.count_params() for model, _ in made.values()),
        "operations": sum(multiplications(model) for model, _ in made.values()),
        "step": statistics.median(together),
        "ratio": interleaved.ratio(together, times["hard"]),
        "memory": max(memory(options, "hard", task) for task in TASKS),
    }


def memory(options, scheme: str, *tasks: str) -> float:
    """Return the highest memory in GB of a process that trains three steps."""
    given = ["--size", str(options.size), "--train", str(options.train), "--epochs", str(options.epochs)]
    command = [sys.executable, __file__, *given, "--alone", scheme, *tasks]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def train_alone(options) -> None:
    """Train three steps and print the process's highest memory in GB."""
    scheme, *tasks = options.alone
    _, step = built(options, scheme, tasks or TASKS)
    for _ in range(3):
        step()
    # Not getrusage: what it calls the highest is the parent's where that was higher.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(int(status["VmHWM"].split()[0]) / 1e6)


def trained(options, folder: Path, scheme: str = "hard", tasks=TASKS) -> dict:
    """Train with the budget, or go on with it, and return the metrics of the test split and the seconds."""
    if not (folder / "metrics.json").is_file():
        if (folder / "recipe.yaml").is_file():
            training.resume(folder, also="test")
        else:
            training.train(recipe_of(options, scheme, tasks), folder, also="test")
    found = json.loads((folder / "metrics.json").read_text())
    return {"metrics": found["test"], "seconds": found["seconds"]}


def row(options, folder: Path, scheme: str) -> dict:
    """Return all that is measured of a scheme; "alone" is a model for each task."""
    if scheme != "alone":
        slug = re.sub(r"\W+", "-", scheme).strip("-")
        return costs(options, scheme) | trained(options, folder / slug, scheme)
    each = [trained(options, folder / f"alone-{task}", tasks=[task]) for task in TASKS]
    joined = {task: values for one in each for task, values in one["metrics"].items()}
    return costs_alone(options) | {"metrics": joined, "seconds": sum(one["seconds"] for one in each)}


def table(rows: dict[str, dict], schemes: list[str]) -> str:
    """Return the table of the finished rows among some schemes, with what its columns mean."""
    single = rows["alone"]["metrics"]
    primary = {"classification": "accuracy", "detection": "AP", "segmentation": "mIoU"}
    lines = []
    for scheme in schemes:
        if scheme in rows:
            of = rows[scheme]
            gain = "" if scheme == "alone" else f"{100 * delta_m(of['metrics'], single):+.1f}%"
            lines.append(
                [
                    "a model for each task" if scheme == "alone" else f"`{scheme}`",
                    of["backbones"],
                    f"{of['parameters'] / 1e6:.2f} M",
                    f"{of['operations'] / 1e9:.3f}",
                    f"{of['ratio']:.2f}",
                    f"{of['memory']:.2f}",
                    *(of["metrics"][task][name] for task, name in primary.items()),
                    gain,
                    f"{of['seconds']:.0f} s",
                ]
            )
    head = ["sharing", "backbones", "parameters", "GFLOPs", "step / `hard`", "peak GB", *primary.values()]
    return tables.markdown([*head, "delta-m", "training"], lines)


def write(text: str) -> None:
    """Put a table between the marks in RESULTS.md."""
    page = RESULTS.read_text(encoding="utf-8")
    if any(page.count(mark) != 1 for mark in MARKS):
        raise SystemExit(f"{RESULTS.name} needs one line '{MARKS[0]}' and one '{MARKS[1]}' to write between.")
    before, after = page.split(MARKS[0])[0], page.split(MARKS[1])[1]
    RESULTS.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schemes", nargs="+", default=sharing.names(), help="default: all that are registered")
    parser.add_argument("--size", type=int, default=96, help="of the square images in pixels")
    parser.add_argument("--train", type=int, default=800, help="scenes")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=9, help="steps that are timed")
    parser.add_argument("--write", action="store_true", help=f"put the table into {RESULTS.name}")
    parser.add_argument("--alone", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        train_alone(options)
        return
    folder = Path("runs") / f"sharing-{options.size}-{options.train}-{options.epochs}"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "rows.json"
    rows = json.loads(kept.read_text()) if kept.is_file() else {}
    schemes = ["alone", *options.schemes]
    for scheme in schemes:
        if scheme not in rows:
            rows[scheme] = row(options, folder, scheme)
            kept.write_text(json.dumps(rows, indent=1))
            keras.backend.clear_session()
            gc.collect()
    text = table(rows, schemes)
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
