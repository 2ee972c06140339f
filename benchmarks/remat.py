"""What rematerialisation saves of memory and costs of time: a step with it and without, each in its own process.

    PYTHONPATH=. python benchmarks/remat.py [RECIPE] [key=value ...] [--parts "" backbone backbone,neck]

Memory is the most that the process held at once in two steps, less what it held before the first; time is that of all
its threads in the third.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

RECIPE = ["garments", "model.weights=null", "data.options={train: 16, validation: 4}", "tasks=[segmentation]"]


def measure(overrides: list[str]) -> tuple[float, float]:
    """Return the megabytes of a recipe's steps and the CPU seconds of one."""
    import visionmtl
    from visionmtl.training import building

    recipe = visionmtl.recipe.load(overrides[0], overrides[1:])
    data = building.data(recipe, ["train"])
    model = building.model(recipe, data.specs, int(data.splits["train"].cardinality()))
    model.make_train_function()
    batches = iter(data.splits["train"].repeat())
    before = held("VmRSS")
    for _ in range(2):
        model.train_function(batches)
    begun = time.process_time()
    model.train_function(batches)
    return held("VmHWM") - before, time.process_time() - begun


def held(what: str) -> float:
    """Return what Linux says of this process's memory, in megabytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", nargs="*", default=RECIPE)
    parser.add_argument("--parts", nargs="+", default=["", "backbone", "backbone,neck"])
    parser.add_argument("--alone", action="store_true", help="measure the recipe as it is, in this process")
    args = parser.parse_args()
    if args.alone:
        print(*measure(args.recipe))
        return
    print(f"{'training.remat':40} {'MB a step':>10} {'':>6} {'CPU s':>8}")
    first = None
    for parts in args.parts:
        command = [sys.executable, __file__, *args.recipe, f"training.remat=[{parts}]", "--alone"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        memory, seconds = map(float, done.stdout.split()[-2:])
        first = first or memory
        print(f"[{parts}]".ljust(40), f"{memory:10.0f} {memory / first:6.2f} {seconds:8.2f}", flush=True)


if __name__ == "__main__":
    main()
