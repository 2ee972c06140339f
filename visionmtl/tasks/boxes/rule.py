"""By which rule objects take cells, as a user may change it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from visionmtl.errors import UsageError, check_number, nearest, one_of

CLOSENESS = ("iou", "nwd")


@dataclass(frozen=True)
class Rule:
    """How many cells an object takes, and by what; a cell's alignment is `score ** score_power * IoU ** overlap_power`.

    Attributes:
        candidates: cells an object may take, at least 1.
        score_power, overlap_power: as above, at least 0; TOOD has 1 and 6 and takes 13 cells.
        region: a cell may be taken where its centre lies in the object; one that is less than so many cells of a level
            wide or high is taken to be as large as they. At least 1, lest an object falls between the centres; YOLOX
            has 3.
        closeness: "iou", or "nwd" for the larger of the IoU and the normalised Wasserstein distance of boxes: an IoU
            to the power 6 all but vanishes where a box of 8 pixels is 2 off.

    Reference: Feng et al. 2021, TOOD, section 3.2; Ge et al. 2021, YOLOX, section 2.1 (centres around small objects);
    Wang et al. 2021, A Normalized Gaussian Wasserstein Distance for Tiny Object Detection.
    """

    candidates: int = 10
    score_power: float = 0.5
    overlap_power: float = 6.0
    region: float = 1.0
    closeness: str = "iou"

    @classmethod
    def read(cls, given: Any, owner: str) -> "Rule":
        """Return the rule that a mapping of some of these names says; None says the default.

        Raises:
            UsageError: a name is unknown, or a value out of its range; the message begins with the owner.
        """
        names = [field.name for field in fields(cls)]
        if not isinstance(given, Mapping | None):
            raise UsageError(f"{owner} was given assignment={given!r}: expected some of {', '.join(names)}, by name.")
        for name in given or {}:
            if name not in names:
                hint = nearest(name, names)
                raise UsageError(f"{owner} was given the assignment '{name}'.{hint} Valid: {', '.join(names)}.")
        rule = cls(**(given or {}))
        check_number(owner, "assignment.candidates", rule.candidates, at_least=1, whole=True)
        check_number(owner, "assignment.score_power", rule.score_power, at_least=0)
        check_number(owner, "assignment.overlap_power", rule.overlap_power, at_least=0)
        check_number(owner, "assignment.region", rule.region, at_least=1)
        one_of(rule.closeness, CLOSENESS, f"assignment.closeness of {owner[0].lower()}{owner[1:]}")
        return rule

    def config(self) -> dict[str, Any]:
        """Return what `read` reads."""
        return asdict(self)


USUAL = Rule()
