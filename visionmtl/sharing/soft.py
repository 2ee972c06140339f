"""Soft sharing: a backbone for each task, tied to the others' by a penalty.

Every task has parameters of its own, which a penalty draws together; at strength 0 they are separate models, and the
stronger it is the nearer they come to one. Take it where tasks are related but hard sharing hurts one of them, and
there is memory for it. It costs a backbone, a neck and a backward pass a task; `until` shares the first stages.
"""

from visionmtl.errors import UsageError, one_of
from visionmtl.sharing import penalties
from visionmtl.sharing.copies import Anchor, Copies, distances, tensors
from visionmtl.sharing.scheme import Matrix, Penalty, Scheme, check_number

TIES = {
    "mean": penalties.to_mean,
    "centre": penalties.to_centre,
    "pairs": penalties.pairwise,
    "chain": penalties.chain,
    "trace": penalties.trace_norm,
}


class Soft(Scheme):
    """A backbone for each task, tied to the others' by a penalty on their difference.

    All trained variables of the tasks' own stages are tied, kernels and normalisation alike.

    Args:
        tie: "mean" (to the mean over tasks), "centre" (to a centre that is learnt too), "pairs" (every task to every
            other), "chain" (each task to the next, in the order of the model), or "trace" (the trace norm of the
            stacked parameters, variable by variable: tasks in a space of few dimensions).
        strength: of the penalty, at least 0; or `{level: strength}` for groups of layers, 0 for a level not named.
        until: the last level that all tasks share, such as "P2"; None shares nothing.

    Reference: Duong et al. 2015, Low Resource Dependency Parsing: Cross-lingual Parameter Sharing in a Neural Network
    Parser; Yang and Hospedales 2017, Trace Norm Regularised Deep Multi-Task Learning.
    """

    name = "soft"

    def __init__(self, tie: str = "mean", strength=0.01, until: str | None = None):
        self.tie, self.until = one_of(tie, TIES, "tie of sharing 'soft'"), until
        for level, value in (strength if isinstance(strength, dict) else {"": strength}).items():
            check_number(self.name, f"strength of {level}" if level else "strength", value, 0)
        self.strength = strength

    def features(self, image, tasks, make_stages):
        self._copies = Copies(image, tasks, make_stages, self.until)
        there = list(self._copies.variables)
        if isinstance(self.strength, dict):
            for level in self.strength:
                if level not in there:
                    raise UsageError(
                        f"sharing 'soft' was given a strength for level '{level}': the tasks have levels of their own"
                        f" {', '.join(there) or 'nowhere'}."
                    )
        self._centres = {}
        if self.tie == "centre":
            levels = self._copies.variables.items()
            self._centres = {level: Anchor(own[0], name=f"soft_centre_{level}") for level, own in levels}
        return self._copies.features

    def penalties(self):
        if len(self._copies.tasks) == 1:
            return []
        found = []
        for level, own in self._copies.variables.items():
            strength = self.strength.get(level, 0.0) if isinstance(self.strength, dict) else self.strength
            if strength:
                everything = [variable for one in own for variable in one]
                found.append(Penalty(self._penalty(level, own, strength), everything))
        return found

    def _penalty(self, level, own, strength):
        centre, tie = self._centres.get(level), TIES[self.tie]

        def penalty():
            total = 0.0
            middles = tensors(centre.places) if centre else [None] * len(own[0])
            for opposite, middle in zip(zip(*map(tensors, own), strict=True), middles, strict=True):
                total += tie(opposite) if middle is None else tie(opposite, middle)
            return strength * total

        return penalty

    def layers(self):
        return list(self._centres.values())

    def learnt(self, model):
        if len(self._copies.tasks) == 1 or not self._copies.are_in(model):
            return {}
        return {"distance": Matrix(distances(self._copies), self._copies.tasks, self._copies.tasks)}

    def get_config(self):
        return {"tie": self.tie, "strength": self.strength, "until": self.until}
