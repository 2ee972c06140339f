"""How near the gradient balancers come to their papers: the worst of many problems against float64 references.

    PYTHONPATH=. python benchmarks/fidelity_methods.py [--tasks 2 3 5 8] [--seeds 5] [--methods mgda cagrad]

The references are those of the tests, worked out from the gradients themselves by other algorithms. A problem is K
gradients of K + 3 numbers: `plain`, all against their common mean (`conflict`), of lengths up to 10^4 apart (`norms`),
as those with two parallel (`parallel`) or one zero (`zero`). For each method it prints the worst cosine distance by
kind, the worst ratio of lengths less 1 over all of them, and how many problems have a reference: CAGrad's update is not
unique where the ball holds several that climb no loss.
"""

# ruff: noqa: N803  (K tasks and their Jacobian J, as in the papers)

import argparse
import sys
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "visionmtl" / "balancing")]

from gramian_problems import KINDS, distance, pcgrad, task_gradients, weights_of  # noqa: E402
from gramian_references import REFERENCES, reference_length, reference_pcgrad  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", type=int, nargs="+", default=[2, 3, 5, 8])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="+", choices=["pcgrad", *REFERENCES], default=["pcgrad", *REFERENCES])
    given = parser.parse_args()
    print(f"| method | {' | '.join(KINDS)} | length | problems |")
    print("| --- |" + " ---: |" * (len(KINDS) + 2))
    for name in given.methods:
        print(row(name, given.tasks, given.seeds), flush=True)


def row(name: str, tasks: list[int], seeds: int) -> str:
    """Return a row of the table: the worst of a method."""
    far: dict[str, list[float]] = {kind: [] for kind in KINDS}
    ratios: list[float] = []
    for kind in KINDS:
        for J in (task_gradients(kind, K, seed) for K in tasks for seed in range(seeds)):
            update, wanted, length = compared(name, J)
            if wanted is not None:
                far[kind].append(max(distance(update, wanted), 0.0))
            if length:
                ratios.append(abs(np.linalg.norm(update) / length - 1))
    worst = [f"{max(values):.0e}" if values else "none" for values in far.values()]
    scale = f"{max(ratios):.0e}" if ratios else "ours"
    return f"| {name} | {' | '.join(worst)} | {scale} | {sum(map(len, far.values()))} |"


def compared(name: str, J: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, float | None]:
    """Return a method's update for gradients `[K, n]`, the reference's direction, and its length where it is known."""
    if name != "pcgrad":
        return weights_of(name, J) @ J, REFERENCES[name](J), reference_length(name, J)
    K, random = len(J), np.random.default_rng(len(J))
    order = np.array([random.permutation([j for j in range(K) if j != k]) for k in range(K)])
    wanted = reference_pcgrad(J, order)
    return pcgrad(J @ J.T, order=order).numpy() @ J, wanted, float(np.linalg.norm(wanted))


if __name__ == "__main__":
    main()
