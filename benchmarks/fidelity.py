"""What cheaper ways of comparing gradients cost, and how near their update is to the exact one; prints tables.

    python benchmarks/fidelity.py [--data camvid garments eight] [--size 64 64] [--epochs 4] [--only record]

A training of a recipe's three tasks ("camvid", "garments") or of eight binary ones on garments ("eight") is driven by
`equal`, or by `--driver`; before each step the Gramians that every scope would see of its batch are kept. From them
follow the weights of every Gramian method in every way: `features`, the last shared level, and `update_every` of
`parameters`, whose weights stay between. The cosine is that of the method's update on what the tasks share, before the
optimizer, with the one of `parameters` in every step, at the same weights and batch; the mean is over all steps. The
column `equal` has that of the plain sum: what there is to be gained by a method at all.

The cost is that of a step over one of `equal`, medians of interleaved rounds, with the method that `--priced` names; a
way of `update_every=n` costs one step that compares and n - 1 between. `modo` and `sdmgrad` go back 2 K times and cost
more: `--priced modo`. How long each method itself takes from a Gramian to its weights is in the column `ms`.

The column `checked` has, and in brackets its cost, what it would be to have every step of `parameters` checked by one
Jacobian-vector product along its update, and to compare anew after one that is off by more than half.

What is measured is kept under `runs/fidelity-...`: the same command goes on where it stopped, `--only` makes a part.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import fidelity_check as check
import fidelity_gramians as gramians
import fidelity_ways as ways
import interleaved
import numpy as np

from visionmtl import balancing
from visionmtl.files import written_whole
from visionmtl.report import tables

EVERY = (2, 5, 10, 20, 50)
TOLERANCE = 0.5  # of what a check finds, over what was foretold
METHODS = [name for name, of in balancing.BALANCERS.items() if of.family == "gradient"]


def setup(options, name: str) -> gramians.Setup:
    return gramians.setup(name, tuple(options.size), options.epochs, options.images, options.path)


def recorded(options, name: str, folder: Path) -> dict[str, np.ndarray]:
    """Return the Gramians of a training, from the file or made."""
    file = folder / f"gramians-{options.driver}.npz"
    if not file.is_file():
        seen = gramians.record(setup(options, name), options.driver, options.steps)
        with written_whole(file) as unfinished, unfinished.open("wb") as out:
            np.savez_compressed(out, **seen)
    with np.load(file) as arrays:
        return dict(arrays)


def priced(options, name: str, folder: Path) -> dict[str, float]:
    """Return the cost of a step of each kind over one of `equal`, from the file or measured."""
    file = folder / f"costs-{options.priced}.json"
    if not file.is_file():
        of, method = setup(options, name), options.priced
        level = gramians.last_level(of.model("equal"))
        kinds = {
            "equal": "equal",
            "parameters": method,
            "features": {"method": method, "scope": "features"},
            "level": {"method": method, "scope": level},
            "between": {"method": method, "update_every": 10**6},
        }
        if balancing.get(method).sub_batches > 1:
            del kinds["features"]
        batch = next(of.batches())
        models = {kind: of.model(given) for kind, given in kinds.items()}
        steps = {
            kind: lambda model=model: float(model.train_function(iter([batch]))["loss"])
            for kind, model in models.items()
        }
        taken = interleaved.seconds(steps, options.rounds)
        costs = {kind: interleaved.ratio(seconds, taken["equal"]) for kind, seconds in taken.items()}
        costs["milliseconds"] = 1000 * float(np.median(taken["equal"]))
        _write(file, costs | {"last level": level})
    return json.loads(file.read_text(encoding="utf-8"))


def checked(options, name: str, folder: Path) -> dict[str, float]:
    """Return the cost of a check by a difference over a step of `equal`, and its error, from the file or measured.

    With `--forward-mode` those of forward-mode differentiation too, whose graph takes long to make.
    """
    file = folder / "checks.json"
    kinds = ["difference", *(["forward mode"] if options.forward_mode else [])]
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    if all(kind in found for kind in kinds):
        return found
    of = setup(options, name)
    model, batch = of.model("equal"), next(of.batches())
    losses, rows = check.gradients(model)(batch)
    update = [sum(each) for each in zip(*rows, strict=True)]
    exact = np.array([sum(float(np.sum(a * b)) for a, b in zip(row, update, strict=True)) for row in rows])
    difference, forward = check.difference(model), check.forward_mode(model)
    runs = {
        "difference": lambda: difference(batch, update, losses).numpy(),
        "forward mode": lambda: forward(batch, update).numpy(),
        "equal": lambda: float(model.train_function(iter([batch]))["loss"]),
    }
    for kind in kinds:
        found[f"{kind}, error"] = float(np.linalg.norm(runs[kind]() - exact) / np.linalg.norm(exact))
    taken = interleaved.seconds({kind: runs[kind] for kind in [*kinds, "equal"]}, options.rounds)
    _write(file, found | {kind: interleaved.ratio(taken[kind], taken["equal"]) for kind in kinds})
    return json.loads(file.read_text(encoding="utf-8"))


def near(options, seen: dict[str, np.ndarray], folder: Path) -> dict[str, dict[str, float]]:
    """Return the mean cosine of every method and way, from the file or worked out, and the milliseconds it takes."""
    file = folder / f"cosines-{options.driver}.json"
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for method in METHODS:
        if method not in found:
            found[method], rate = ways.fidelity(method, seen, EVERY, TOLERANCE)
            found[method] |= {"rate": rate, "ms": solving(method, seen)}
            _write(file, found)
    return found


def solving(method: str, seen: dict[str, np.ndarray]) -> float:
    """Return the milliseconds that a method takes from a Gramian to weights, the median over the recorded ones."""
    weigher, taken = ways.Weigher(method, seen["losses"].shape[1]), []
    for step in range(min(100, len(seen["losses"]))):
        start = time.perf_counter()
        weigher.weights(seen, "parameters", step)
        taken.append(time.perf_counter() - start)
    return 1000 * float(np.median(taken))


def _write(file: Path, content: dict) -> None:
    with written_whole(file) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")


def cost(way: str, costs: dict[str, float]) -> float | None:
    """Return what a way costs of `equal`; None where it cannot be had."""
    if way.startswith("every"):
        n = int(way.split()[1])
        return (costs["parameters"] + (n - 1) * costs["between"]) / n
    return costs.get(way)


def report(
    name: str, seen: dict[str, np.ndarray], costs: dict, checks: dict, found: dict[str, dict[str, float]]
) -> str:
    """Return the table of a data set: the costs first, then the mean cosines of each method."""
    listed = ["features", "level", *(f"every {n}" for n in EVERY)]
    head = [f"{name}, K = {seen['losses'].shape[1]}", "ms", "equal", "parameters", "features", costs["last level"]]
    prices = [cost(way, costs) for way in ("parameters", *listed)]
    rows = [["cost, of equal", "", "1.00", *("" if price is None else f"{price:.2f}" for price in prices), ""]]
    for method, of in found.items():
        cells = [f"{of[way]:.3f}" if way in of else "" for way in listed]
        price = ""
        if of["rate"] is not None:
            comparing = (costs["parameters"] - costs["between"]) / of["rate"]
            price = f"{of['checked']:.3f} ({costs['between'] + checks['difference'] + comparing:.2f})"
        cells += [price]
        rows.append([method, f"{of['ms']:.1f}", f"{of['equal']:.3f}", "1.000", *cells])
    about = f"{len(seen['losses'])} steps; a step of equal takes {costs['milliseconds']:.0f} ms"
    told = ", ".join(f"{key} {value:.3f}" for key, value in checks.items())
    return f"{tables.markdown([*head, *listed[2:], 'checked'], rows)}\n\n{about}; a check: {told}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=("camvid", "garments", "eight"), default=["garments", "eight"])
    parser.add_argument("--path", default="data/camvid", help="of CamVid: train/ and val/")
    parser.add_argument("--size", type=int, nargs=2, default=(64, 64), metavar=("H", "W"))
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--images", type=int, default=800, help="of garments in an epoch")
    parser.add_argument("--steps", type=int, help="that are recorded; default: the whole training")
    parser.add_argument("--driver", default="equal", help="the balancer that trains meanwhile")
    parser.add_argument("--priced", default="upgrad", choices=METHODS, help="the method whose steps are timed")
    parser.add_argument("--rounds", type=int, default=15, help="steps that are timed")
    parser.add_argument("--only", choices=("record", "cost", "check"), help="make this part alone")
    parser.add_argument("--forward-mode", action="store_true", help="check by forward-mode differentiation too")
    options = parser.parse_args()
    for name in options.data:
        folder = Path("runs") / f"fidelity-{name}-{options.size[0]}x{options.size[1]}-{options.epochs}-{options.images}"
        folder.mkdir(parents=True, exist_ok=True)
        if options.only in (None, "record"):
            seen = recorded(options, name, folder)
        if options.only in (None, "cost"):
            costs = priced(options, name, folder)
        if options.only in (None, "check"):
            checks = checked(options, name, folder)
        if options.only is None:
            print(report(name, seen, costs, checks, near(options, seen, folder)), flush=True)


if __name__ == "__main__":
    main()
