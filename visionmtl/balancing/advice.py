"""Which balancer to take for which symptom or kind of task, and what was measured of that.

What `gradients.csv` and the curves of a run show is the symptom. A line is no promise: it says what our own trainings
showed, with the figures of benchmarks/RESULTS.md, or that none was made.
"""

from typing import NamedTuple


class Advice(NamedTuple):
    """What to take.

    Attributes:
        seen: the symptom, or the kind of task.
        sign: by what it is known; "" for what needs no sign.
        take: what to do, with the names of balancers as a recipe has them.
        measured: what came of it; "" where nothing was measured.
        section: of benchmarks/RESULTS.md.
        quotes: what stands there, word for word, with the figures of `measured`.
    """

    seen: str
    sign: str
    take: str
    measured: str = ""
    section: str = ""
    quotes: tuple[str, ...] = ()

    def told(self) -> str:
        """Return all of it as one paragraph."""
        found = f"Measured: {self.measured} (RESULTS.md, {self.section})." if self.measured else "Not measured here."
        return " ".join(part for part in (self.sign, self.take, found) if part)


GARMENTS = "Garments"
EQUAL = "| hard, equal | 0.701 ± 0.007 | 0.331 ± 0.002 | 0.464 ± 0.001 | -0.7% [-4.9, +3.4] | 1.00 |"
UNCERTAINTY = "| hard, uncertainty | 0.704 ± 0.008 | 0.324 ± 0.003 | 0.462 ± 0.002 | -1.4% [-5.1, +2.4] |"
PCGRAD = "| hard, pcgrad | 0.692 ± 0.006 | 0.334 ± 0.003 | 0.460 ± 0.000 | -0.8% [-3.6, +2.1] | 1.76 |"
UPGRAD = "| hard, upgrad | 0.691 ± 0.005 | 0.330 ± 0.002 | 0.460 ± 0.004 | -1.3% [-4.4, +1.8] | 1.80 |"
FIXED = "| tuned fixed weights | 0.698 ± 0.002 | 0.351 ± 0.002 | 0.476 ± 0.002 | +1.5% [-3.6, +6.6] |"
CHOSEN = "constant weights, chosen among seven by one training each (classification 0.43, the others 1.29)"

SYMPTOMS = (
    Advice(
        "nothing in particular",
        "",
        "Take equal, then fixed weights that `visionmtl compare` searches for.",
        "delta-m -0.7% [-4.9, +3.4] with equal, +1.5% [-3.6, +6.6] with such weights",
        GARMENTS,
        (EQUAL, FIXED),
    ),
    Advice(
        "scales differ",
        "Losses or gradients of some tasks are many times those of others.",
        "Take uncertainty, imtl_l or stch at the price of a plain step, or unit_norm, imtl_g or nash_mtl, which compare"
        " gradients.",
        "on tasks of like scale, delta-m -1.4% [-5.1, +2.4] with uncertainty for -0.7% [-4.9, +3.4] with equal; on"
        " others nothing",
        GARMENTS,
        (UNCERTAINTY, EQUAL),
    ),
    Advice(
        "conflicts",
        "Cosines of two tasks' gradients are below zero in most steps (`gradients.csv`).",
        "Take upgrad, dual_proj or pcgrad; where conflicts are rare they are the plain sum, dearer.",
        "where they are rare, delta-m -0.8% [-3.6, +2.1] with pcgrad and -1.3% [-4.4, +1.8] with upgrad for"
        " -0.7% [-4.9, +3.4] with equal, in steps of 1.76 and 1.80 times its time",
        GARMENTS,
        (PCGRAD, UPGRAD, EQUAL),
    ),
    Advice(
        "one task saturates",
        "The loss of one task has come to rest, and its gradient is still as long as the others'.",
        "Take dwa or famo, which go by how losses fall, excess_mtl where its labels are noisy, or ldc_mtl.",
    ),
    Advice(
        "many tasks",
        "A pass back for each task is too dear.",
        "Take uncertainty or famo, or a gradient balancer with scope=features.",
        "at K = 8 a step of cagrad takes 5.62 times that of equal, with scope=features 0.92, one of famo 1.22",
        "What balancing costs",
        (
            "resnet50, K = 8,",
            "cagrad, parameters 2824 5.62",
            "cagrad, features 487 0.92",
            "famo 632 1.22",
        ),
    ),
    Advice(
        "small batches of many tasks",
        "A batch has one or two samples of a task, and its gradient's length jumps from step to step.",
        "Take update_every=1, which looks at each batch: kept weights may be worse than none.",
        "at K = 8, weights of nash_mtl kept for ten steps have a cosine of 0.82 with the right update, weights of one"
        " 0.90",
        "Cheaper comparisons, and their error",
        ("What limits them at K = 8", "`nash_mtl`: 0.82 after ten steps, 0.90 with all weights 1"),
    ),
    Advice(
        "given proportions",
        "You know how the losses, or the tasks, are to stand to each other in the end.",
        "Take preference= of upgrad, dual_proj, aligned_mtl, config, sdmgrad or stch, or the ray of pbi or cosmos.",
    ),
)

TASKS = (
    Advice(
        "classification",
        "",
        "It learns fast beside the others: a fixed weight below one cost it little.",
        "accuracy 0.698 with the weight 0.43, 0.701 with equal ones",
        GARMENTS,
        (FIXED, EQUAL, CHOSEN),
    ),
    Advice(
        "detection",
        "",
        "Where anything was gained, it was by a weight above one: try fixed before any method.",
        "AP 0.351 with the weight 1.29, 0.331 with equal ones",
        GARMENTS,
        (FIXED, EQUAL, CHOSEN),
    ),
    Advice(
        "segmentation",
        "",
        "uncertainty and pcgrad cost it something: try fixed above one first.",
        "against a model of its own -1.8% [-2.7, -1.0] with uncertainty and -2.1% [-3.5, -0.7] with pcgrad, -0.2% with"
        " the weight 1.29",
        GARMENTS,
        (
            "worse (negative transfer) in segmentation -1.8% [-2.7, -1.0]",
            "worse (negative transfer) in segmentation -2.1% [-3.5, -0.7]",
            "detection +3.8% (8 would) and segmentation -0.2% (112 would)",
            CHOSEN,
        ),
    ),
    Advice("depth", "", "uncertainty counts a regression's loss by half at the start, as its paper has it."),
)
BY = {"symptom": SYMPTOMS, "task": TASKS}
