"""What goes on before the first step of `make demo`, in CPU seconds: imports, data, model, traces.

PYTHONPATH=. python benchmarks/first_step.py

Each row is the CPU time of this process and all its threads, which other processes disturb little. To compare, run it
on another commit with that folder in PYTHONPATH: it uses nothing that is new.
"""

import argparse
import resource
import sys
import time

WATCHED = "watching step (a trace)"
TASKS = ["train", "validation", "test"]  # the splits that `make demo` reads


class Clock:
    """The CPU seconds between one mark and the next."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, float, float]] = []
        self.behind, self.begun = 0.0, time.perf_counter()

    def mark(self, name: str) -> None:
        """End a phase."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        now = usage.ru_utime + usage.ru_stime
        self.rows.append((name, now - self.behind, now))
        self.behind = now


def measure(recipe_name: str, overrides: list[str], steps: int) -> Clock:
    """Take a training's first steps as `visionmtl train` does, outside of `fit`."""
    clock = Clock()
    from visionmtl.commands.quiet import quiet_import

    with quiet_import():  # as every command does
        import keras

        import visionmtl
        from visionmtl.training import building

    clock.mark("imports")
    recipe = visionmtl.recipe.load(recipe_name, overrides)
    keras.utils.set_random_seed(recipe.training.seed)
    data = building.data(recipe, TASKS)
    clock.mark("reading and checking the data")
    model = building.model(recipe, data.specs, int(data.splits["train"].cardinality()))
    clock.mark("building the model, weights")
    model.build_optimizer()
    clock.mark("building the optimizer")
    model.make_train_function()
    batches = iter(data.splits["train"])
    model.train_function(batches)
    clock.mark("first step: trace, optimisation, run")
    model.train_function(batches)
    clock.mark("second step")
    if not steps:
        return clock
    model.conflicts.watch(1)
    model.train_function(batches)
    clock.mark(WATCHED)
    for _ in range(steps):
        model.conflicts.watch(None)
        model.train_function(batches)
    clock.mark(f"{steps} steps more")
    return clock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", nargs="?", default="garments")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--steps", type=int, default=20, help="steps after the first ones; 0 ends with the second")
    args = parser.parse_args()
    clock = measure(args.recipe, args.overrides, args.steps)
    print(f"{'':40} CPU seconds    so far")
    for name, taken, so_far in clock.rows:
        print(f"{name:40} {taken:11.2f} {so_far:9.1f}")
    print(f"elapsed: {time.perf_counter() - clock.begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
