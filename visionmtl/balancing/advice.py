"""Which balancer to take for which symptom or kind of task, and what was measured of that.

What `gradients.csv` and the curves of a run show is the symptom. A line is no promise: `measured` says what our own
trainings showed, in the words of benchmarks/RESULTS.md, or that nothing was.
"""

from typing import NamedTuple


class Advice(NamedTuple):
    """What to take.

    Attributes:
        seen: the symptom, or the kind of task.
        sign: by what it is known; "" for what needs no sign.
        take: what to do, with the names of balancers as a recipe has them.
        section: of benchmarks/RESULTS.md; "" where nothing was measured.
        measured: what stands there, word for word.
    """

    seen: str
    sign: str
    take: str
    section: str
    measured: tuple[str, ...]

    def told(self) -> str:
        """Return all of it as one paragraph."""
        found = "; ".join(self.measured)
        source = f"Measured (RESULTS.md, {self.section}): {found}." if found else "Not measured here."
        return " ".join(part for part in (self.sign, self.take, source) if part)


GARMENTS = "Garments"
SYMPTOMS = (
    Advice(
        "nothing in particular",
        "",
        "Take equal, then weights of your own: fixed, searched for by `visionmtl compare`.",
        GARMENTS,
        ("| hard, equal | 0.701 ± 0.007 | 0.331 ± 0.002 |", "| tuned fixed weights | 0.698 ± 0.002 | 0.351 ± 0.002 |"),
    ),
    Advice(
        "scales differ",
        "Losses or gradients of some tasks are many times those of others (`losses`, `norms` of a run).",
        "Take uncertainty, imtl_l or stch at the price of a plain step, or unit_norm, imtl_g or nash_mtl, which compare"
        " gradients. With tasks of like scale, as below, uncertainty gains nothing.",
        GARMENTS,
        ("| hard, equal | 0.701 ± 0.007 |", "| hard, uncertainty | 0.704 ± 0.008 |"),
    ),
    Advice(
        "conflicts",
        "Cosines of two tasks' gradients are below 0 in most steps (`gradients.csv`).",
        "Take upgrad, dual_proj or pcgrad; where conflicts are rare they are the plain sum, dearer.",
        GARMENTS,
        ("| hard, pcgrad | 0.692 ± 0.006 | 0.334 ± 0.003 |", "| hard, upgrad | 0.691 ± 0.005 | 0.330 ± 0.002 |"),
    ),
    Advice(
        "one task saturates",
        "The loss of one task has come to rest, and its gradient is still as long as the others'.",
        "Take dwa or famo, which go by how losses fall, excess_mtl where its labels are noisy, or ldc_mtl.",
        "",
        (),
    ),
    Advice(
        "many tasks",
        "A pass back for each task is too dear.",
        "Take uncertainty, or famo; a gradient balancer with scope=features.",
        "What balancing costs",
        (
            "cagrad, parameters                   2824       5.62",
            "cagrad, features                     487        0.92",
        ),
    ),
    Advice(
        "small batches of many tasks",
        "A batch has one or two samples of a task, and its gradient's length jumps from step to step.",
        "Take update_every=1, which looks at each batch: kept weights may be worse than none.",
        "Cheaper comparisons, and their error",
        ("`nash_mtl`: 0.82 after ten steps, 0.90 with all weights 1",),
    ),
    Advice(
        "given proportions",
        "You know how the losses, or the tasks, are to stand to each other in the end.",
        "Take preference= of upgrad, dual_proj, aligned_mtl, config, sdmgrad or stch, or the ray of pbi or cosmos.",
        "",
        (),
    ),
)

TASKS = (
    Advice(
        "classification",
        "",
        "It learns fast beside the others: weights below 1 cost it nothing.",
        GARMENTS,
        ("constant weights, chosen among seven by one training each (classification 0.43,",),
    ),
    Advice(
        "detection",
        "",
        "Where anything was gained, it was by a weight above 1: try fixed before any method.",
        GARMENTS,
        ("| hard, equal | 0.701 ± 0.007 | 0.331 ± 0.002 |", "| tuned fixed weights | 0.698 ± 0.002 | 0.351 ± 0.002 |"),
    ),
    Advice(
        "segmentation",
        "",
        "uncertainty and pcgrad had it worse than alone; weights above 1 did not.",
        GARMENTS,
        (
            "worse (negative transfer) in segmentation -1.8% [-2.7, -1.0]",
            "worse (negative transfer) in segmentation -2.1% [-3.5, -0.7]",
        ),
    ),
    Advice("depth", "", "uncertainty halves a regression's loss at the start, as its paper has it.", "", ()),
)
BY = {"symptom": SYMPTOMS, "task": TASKS}
