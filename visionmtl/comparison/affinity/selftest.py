"""`self_test`: planted tasks looked at like any others, and the groups trained: what is known beforehand is found."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import pipelines
from visionmtl import known_by
from visionmtl.comparison.affinity import charts, figures, grouping, page, planted
from visionmtl.comparison.affinity.figures import LOOKAHEAD
from visionmtl.comparison.affinity.planted import COPY, GARMENT, NAMES, OPPOSED, SHUFFLED
from visionmtl.comparison.affinity.record import Record
from visionmtl.comparison.affinity.scores import array
from visionmtl.comparison.affinity.watch import AffinityWatch
from visionmtl.errors import UsageError, check_number
from visionmtl.files import write_text
from visionmtl.report import tables
from visionmtl.training import runs

MODELS = 2
RATE = 2e-3
NEAR = 0.15  # of the copy's affinity, below which another is as good as none


class Size(NamedTuple):
    """How much is trained: images in an epoch, epochs, and images that the groups are measured on."""

    train: int = 4096
    epochs: int = 6
    validation: int = 512


class Check(NamedTuple):
    """Something that must hold of what was planted.

    Attributes:
        claim: what.
        seen: in figures.
        holds: whether it does.
    """

    claim: str
    seen: str
    holds: bool


def self_test(run: str | Path | None = None, seeds: int = 5, size: Size = Size()) -> list[Check]:  # noqa: B008
    """Look at planted tasks in a training a seed, divide them, train the best and the worst division, and tell all.

    Four tasks are planted on the embedded garments: their classification, a copy of it, one of labels that follow from
    no content, and one that opposes it, as `planted` explains.

    Args:
        run: the folder to write; default `runs/affinity-self-test-<n>`.
        seeds: how many.
        size: how much is trained.

    Raises:
        UsageError: what must be found is not, or the folder is taken.
    """
    check_number("affinity --self-test", "seeds", seeds, at_least=1, whole=True)
    taken = None if run is None else runs.refuse_taken(run)
    data = planted.data(size.train, size.validation)
    records = {}
    for seed in range(seeds):
        records[seed] = look(data, seed, size)
        print(
            f"Seed {seed}: {len(records[seed].steps)} looks, {records[seed].ratio:.2f} of the time without.", flush=True
        )
    found: dict[str, Any] = {"recipe": "self-test", "recipes": False}
    found["command"] = f"visionmtl affinity --self-test --seeds {seeds}"
    found |= figures.figures(records, MODELS)
    totals = measure(data, found, seeds, size)
    found["totals"] = {name: values.tolist() for name, values in totals.items()}
    checks = judge(found, totals)
    folder = runs.numbered("affinity-self-test") if taken is None else taken  # made once there is something in it
    write_text(folder / known_by.AFFINITY, json.dumps(found, indent=1, allow_nan=False) + "\n")
    charts.write_all(folder / "plots", found, records)
    page.write(folder, found, records, told(checks))
    print(f"\n{page.terminal(found)}\n\n{_table(checks)}\n\nPage {folder / 'affinity.html'}")
    if failed := [check.claim for check in checks if not check.holds]:
        raise UsageError(f"The self-test failed: {'; '.join(failed)}. See {folder / 'affinity.html'}.")
    return checks


def look(data: pipelines.Datasets, seed: int, size: Size) -> Record:
    """Return what is seen of one training of all planted tasks."""
    watch = AffinityWatch(RATE, total=size.epochs * (size.train // planted.BATCH))
    _fit(data, list(NAMES), seed, size, [watch])
    assert watch.record is not None
    return watch.record


def measure(data: pipelines.Datasets, found: Mapping[str, Any], seeds: int, size: Size) -> dict[str, np.ndarray]:
    """Return the sums over tasks of the validation losses of the best and the worst division, `[seeds]` each."""
    worst = grouping.worst(array(found["scores"][LOOKAHEAD]["mean"]), MODELS)
    divisions = {
        "best": found["groupings"][LOOKAHEAD]["groups"],
        "worst": [[NAMES[task] for task in group] for group in worst.groups],
    }
    return {
        name: np.array([sum(_loss(data, group, seed, size) for group in groups) for seed in range(seeds)])
        for name, groups in divisions.items()
    }


def judge(found: Mapping[str, Any], totals: Mapping[str, np.ndarray]) -> list[Check]:
    """Return what must hold of what was planted, and whether it does."""
    pairs = {frozenset(pair["tasks"]): pair[LOOKAHEAD] for pair in found["pairs"]}
    top = pairs[frozenset((GARMENT, COPY))]
    others = [score["mean"] for names, score in pairs.items() if names != {GARMENT, COPY}]
    checks = [
        Check("the copy comes top", f"{_shown(top)}, the next {100 * max(others):+.3f}", top["low"] > max(0.0, *others))
    ]
    for task in (GARMENT, COPY):
        score = pairs[frozenset((task, SHUFFLED))]
        near = score["low"] <= 0 <= score["high"] or abs(score["mean"]) < NEAR * top["mean"]
        checks.append(Check(f"shuffled labels are at zero beside the {task}", _shown(score), near))
    for task in (GARMENT, COPY):
        score = pairs[frozenset((task, OPPOSED))]
        checks.append(Check(f"the opposed task is negative beside the {task}", _shown(score), score["high"] < 0))
    groups = found["groupings"][LOOKAHEAD]["groups"]
    together = next(group for group in groups if GARMENT in group)
    checks.append(
        Check(
            "the grouping keeps the copy and parts the opposed task",
            " | ".join(", ".join(group) for group in groups),
            COPY in together and OPPOSED not in together,
        )
    )
    gap = totals["worst"] - totals["best"]
    means = f"{totals['best'].mean():.3f} against {totals['worst'].mean():.3f}"
    seen = f"{means}, less in {(gap > 0).sum()} of {len(gap)} seeds"
    checks.append(Check("its groups lose less in sum than those of the worst grouping", seen, bool(gap.mean() > 0)))
    return checks


def told(checks: Sequence[Check]) -> list[list[str]]:
    """Return the rows of the table of what must hold."""
    return [[check.claim, check.seen, "yes" if check.holds else "NO"] for check in checks]


def _table(checks: Sequence[Check]) -> str:
    return tables.table(["planted", "found", "holds"], told(checks))


def _shown(score: Mapping[str, float]) -> str:
    return f"{100 * score['mean']:+.3f} [{100 * score['low']:+.3f}, {100 * score['high']:+.3f}]"


def _fit(data: pipelines.Datasets, tasks: list[str], seed: int, size: Size, watching: Sequence[Any] = ()) -> Any:
    model = planted.model(data.specs, tasks, seed, RATE)
    data.seek(seed * size.epochs)  # the same order for all models of a seed
    model.fit(data.train, epochs=size.epochs, verbose=0, shuffle=False, callbacks=list(watching))
    return model


def _loss(data: pipelines.Datasets, tasks: list[str], seed: int, size: Size) -> float:
    """Return the sum of a group's validation losses, once it was trained."""
    measured = _fit(data, tasks, seed, size).evaluate(data.validation, verbose=0, return_dict=True)
    return float(sum(measured[f"{task}_loss"] for task in tasks))
