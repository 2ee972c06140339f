"""What every method of balancing tells about itself: the catalogue, the errors and the configs are read from it."""

from typing import Any

from visionmtl.balancing.hyperparameters import Hyperparameter, check_names

ONE_PASS, LOOKS_BACK = "1 forward, 1 backward", "2 forward, 1 backward"
HALVES = "1 forward, 2 K backward, by halves of the batch"
K_PASSES, K_HEADS = "1 forward, K backward*", "1 forward, 1 backward, K of the heads"


class Method:
    """A way to balance K tasks, with hyperparameters declared as `hyperparameters` has it.

    Attributes:
        family: "loss", "gradient" (from the Gramian of the task gradients) or "elementwise".
        paper: authors and year; "" for none.
        cost: of a step, in passes; a star stands for the catalogue's note.
        promise: in a few words.
        equation: of what is minimised (L), of the weights (w) or of the update; `L_k` are the K task losses, `g_k`
            their gradients by what the tasks share, `G` the products of these with each other.
        when: to take it, as a clause that goes on from "Take it".
    """

    family = ""
    paper = ""
    cost = ""
    promise = ""
    equation = ""
    when = ""

    @classmethod
    def hyperparameters(cls) -> dict[str, Hyperparameter]:
        """Return what it can be given, by name: its own first, then those of its bases."""
        attributes: dict[str, Any] = {}
        for owner in cls.__mro__:
            attributes = attributes | {key: value for key, value in vars(owner).items() if key not in attributes}
        return {value.name: value for value in attributes.values() if isinstance(value, Hyperparameter)}

    @property
    def method_name(self) -> str:
        """How it is chosen: by the name of its file if it is one of ours, else by that of its class."""
        package, _, file = type(self).__module__.rpartition(".")
        return file if package.startswith("visionmtl.balancing.") else type(self).__name__

    def tune(self, values: dict[str, Any]) -> None:
        """Take hyperparameters by name; what is not given keeps its default.

        Raises:
            UsageError: one is unknown or out of its range.
        """
        known = self.hyperparameters()
        check_names(self.method_name, values, known)
        for name, value in values.items():
            setattr(self, known[name].attribute, value)

    def settings(self) -> dict[str, Any]:
        """Return every hyperparameter's value by its name."""
        return {name: getattr(self, declared.attribute) for name, declared in self.hyperparameters().items()}
