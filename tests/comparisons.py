"""Made-up comparisons, as `comparison.json` holds them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

METRICS = {
    "classification": {"accuracy": 0.57, "macro_F1": 0.53},
    "detection": {"AP": 0.20, "AP50": 0.42, "AP/van": 0.11},
    "segmentation": {"mIoU": 0.36, "pixel_accuracy": 0.8},
}


def arm(
    name: str,
    by_seed: Mapping[int, Mapping[str, Mapping[str, float | None]]],
    alone: bool = False,
    changes: Mapping[str, Any] | None = None,
    chosen: Mapping[str, Any] | None = None,
    step: float = 0.2,
    parameters: int = 3_260_000,
) -> dict[str, Any]:
    """Return an arm with metrics by seed, task and name, and costs that its step implies."""
    costs = {"steps": 375, "seconds": 375 * step, "step": step, "memory": 1.4e9, "parameters": parameters}
    seeds = {str(seed): {"metrics": metrics, **costs} for seed, metrics in by_seed.items()}
    return {"name": name, "alone": alone, "changes": dict(changes or {}), "chosen": dict(chosen or {}), "seeds": seeds}


def comparison(arms: Sequence[Mapping[str, Any]], seeds: Sequence[int] = (0, 1, 2), **others: Any) -> dict[str, Any]:
    """Return a comparison of arms; its tasks are those that some arm has metrics of, classifications of ten."""
    tasks = [task for each in arms for of in each["seeds"].values() for task in of["metrics"]]
    return {
        "recipe": "garments",
        "split": "validation",
        "budget": {"of": "steps", "amount": 375},
        "seeds": list(seeds),
        "searched": {},
        "lower": [],
        "commands": ["visionmtl compare garments --seeds 3"],
        "tasks": {task: {"kind": "classification", "classes": 10} for task in dict.fromkeys(tasks)},
        "arms": list(arms),
        **others,
    }


def written(folder: Path, found: Mapping[str, Any]) -> Path:
    """Write a comparison's file into a folder, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comparison.json").write_text(json.dumps(found), encoding="utf-8")
    return folder


def of_scores(single: Sequence[float], joint: Sequence[float], **others: Any) -> dict[str, Any]:
    """Return a comparison of two arms and one task with one score, a value a seed."""
    arms = [
        arm(name, {seed: {"cars": {"AP": value}} for seed, value in enumerate(values)}, alone=name == "single tasks")
        for name, values in (("single tasks", single), ("hard", joint))
    ]
    return comparison(arms, range(max(len(single), len(joint))), **others)


def large(arms: int = 20, seeds: int = 3, tasks: int = 3, scatter: float = 0.03) -> dict[str, Any]:
    """Return a comparison of many arms, drawn at random but always the same: long names, some unfinished.

    Args:
        arms: with the baseline.
        seeds: asked of each.
        tasks: 2 or 3 with two metrics each, or more binary ones with their accuracy alone.
        scatter: standard deviation of a metric over seeds, as a fraction of it.
    """
    rng = np.random.default_rng(0)
    metrics = dict(list(METRICS.items())[:tasks]) if tasks <= 3 else _binary(tasks)
    lift = dict.fromkeys(metrics, 0.0)
    found = [
        _drawn("single tasks", metrics, lift, range(seeds), scatter, rng, alone=True, step=0.5, parameters=9_610_000)
    ]
    schemes = ("hard", "mtan", "cross_stitch", "{name: hard, until: P3}")
    methods = ("equal", "uncertainty", "pcgrad", "upgrad", "tuned fixed weights")
    every = [(scheme, method) for scheme in schemes for method in methods]
    for number, (scheme, method) in enumerate(every[: arms - 1]):
        lift = {task: rng.normal(-0.02, 0.08) for task in metrics}
        done = range(seeds - number % 7 // 5) if seeds > 1 else range(seeds)
        step = 0.2 * (1 + 0.4 * schemes.index(scheme)) * (1 + 0.3 * methods.index(method))
        changes = {"model.sharing": scheme, "balancing.method": method}
        found.append(_drawn(f"{scheme}, {method}", metrics, lift, done, scatter, rng, changes, step=step))
    kinds = {task: {"kind": task if task in METRICS else "classification", "classes": 10} for task in metrics}
    return comparison(found, range(seeds), tasks=kinds, searched={"training.learning_rate": [0.001, 0.003]})


def _binary(tasks: int) -> dict[str, dict[str, float]]:
    names = ("trousers", "pullovers", "dresses", "coats", "sandals", "shirts", "sneakers", "bags", "boots", "hats")
    return {name: {"accuracy": 0.8} for name in names[:tasks]}


def _drawn(
    name: str,
    metrics: Mapping[str, Mapping[str, float]],
    lift: Mapping[str, float],
    seeds: range,
    scatter: float,
    rng: np.random.Generator,
    changes: Mapping[str, Any] | None = None,
    alone: bool = False,
    step: float = 0.2,
    parameters: int = 3_260_000,
) -> dict[str, Any]:
    """Return an arm whose metrics lie about what is usual, lifted by a fraction for each task."""
    by_seed = {
        seed: {
            task: {key: round(value * (1 + lift[task] + rng.normal(0, scatter)), 4) for key, value in values.items()}
            for task, values in metrics.items()
        }
        for seed in seeds
    }
    rate = {"training.learning_rate": float(rng.choice([0.001, 0.003]))}
    return arm(name, by_seed, alone, changes, dict.fromkeys(metrics, rate) if alone else rate, step, parameters)
