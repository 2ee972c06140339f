"""Relation: a backbone for each task, drawn together as far as the tasks turn out to be related.

The penalty is that of a covariance between tasks, which is learnt with the parameters, or of relations you give; tasks
that move alike are drawn to each other, others are left alone. Take it where you suspect that only some tasks belong
together, and want to see which. It costs a backbone, a neck and a backward pass a task, and a copy of the start.
"""

import numpy as np
import tensorflow as tf

from visionmtl.errors import UsageError, nearest, one_of
from visionmtl.sharing import penalties
from visionmtl.sharing.copies import Anchor, Copies, tensors
from visionmtl.sharing.scheme import Matrix, Penalty, Scheme, check_number

ABOUT = ("start", "zero")


class Relation(Scheme):
    """A backbone for each task, tied by a covariance between tasks that is learnt, or by relations you give.

    With `W`, the tasks' parameters as K rows, the penalty is `strength / 2 tr(W' inverse(C) W)`. The covariance `C` has
    its closed form, `(W W')^1/2` over its trace, in every step, so that there is no state to lose; no gradient goes
    into it. All trained variables of the tasks' own stages count.

    Args:
        strength: of the penalty, at least 0.
        about: what the rows are measured from: "start", the values all copies start from, so that the covariance says
            which tasks move alike; or "zero", as in the paper, which copies of one pretrained backbone never leave far
            enough for it to tell them apart.
        relations: `{task: {task: weight}}` of at least 0, in place of the covariance: the penalty then is
            `strength / 2` times the sum over pairs of weight times squared difference.
        until: the last level that all tasks share, such as "P2"; None shares nothing.

    Reference: Zhang and Yeung 2010, A Convex Formulation for Learning Task Relationships in Multi-Task Learning; for
    given relations Evgeniou, Micchelli and Pontil 2005, Learning Multiple Tasks with Kernel Methods.
    """

    name = "relation"

    def __init__(self, strength: float = 1e-4, about: str = "start", relations=None, until: str | None = None):
        self.strength = check_number(self.name, "strength", strength, 0)
        self.about, self.until = one_of(about, ABOUT, "'about' of sharing 'relation'"), until
        self.relations = relations

    def features(self, image, tasks, make_stages):
        self._given = None if self.relations is None else self._table(list(tasks))
        self._copies = Copies(image, tasks, make_stages, self.until)
        self._start = None
        if self._given is None and self.about == "start":
            self._start = Anchor(self._copies.flat()[0], trainable=False, name="relation_start")
        return self._copies.features

    def _table(self, tasks: list[str]) -> list[list[float]]:
        """Return the given relations as a symmetric K x K table."""
        table = np.zeros((len(tasks), len(tasks)))
        if not isinstance(self.relations, dict) or not all(isinstance(of, dict) for of in self.relations.values()):
            raise UsageError(
                f"sharing 'relation' was given relations={self.relations!r}: expected {{task: {{task: weight}}}}."
            )
        for one, of in self.relations.items():
            for other, weight in of.items():
                for task in (one, other):
                    if task not in tasks:
                        raise UsageError(
                            f"sharing 'relation' was given a relation of unknown task '{task}'.{nearest(task, tasks)}"
                            f" Tasks: {', '.join(tasks)}."
                        )
                check_number(self.name, f"relation of {one} and {other}", weight, 0)
                table[tasks.index(one), tasks.index(other)] = table[tasks.index(other), tasks.index(one)] = weight
        return table.tolist()

    def penalties(self):
        if len(self._copies.tasks) == 1 or not self.strength:
            return []
        value = self._of_covariance if self._given is None else self._of_given
        return [Penalty(value, [variable for own in self._copies.flat() for variable in own])]

    def _of_given(self):
        opposite = zip(*map(tensors, self._copies.flat()), strict=True)
        return self.strength * tf.add_n([penalties.pairwise(one, self._given) for one in opposite])

    def _of_covariance(self):
        products = self._products()
        return self.strength * penalties.related(products, penalties.relation(tf.stop_gradient(products)))

    def _products(self):
        """Return the inner products `[K, K]` of the tasks' parameters, measured from where they are."""
        rows = [tensors(own) for own in self._copies.flat()]
        if self._start is not None:
            start = tensors(self._start.places)
            rows = [[one - at for one, at in zip(row, start, strict=True)] for row in rows]
        return penalties.gramian(rows)

    def layers(self):
        return [] if self._start is None else [self._start]

    def started(self):
        if self._start is not None:
            self._start.take(self._copies.flat()[0])

    def learnt(self, model):
        tasks = self._copies.tasks
        if len(tasks) == 1 or not self._copies.are_in(model):
            return {}
        matrix = self._given if self._given is not None else penalties.relation(self._products()).numpy()
        return {"relation": Matrix(np.asarray(matrix), tasks, tasks)}

    def get_config(self):
        names = ("strength", "about", "relations", "until")
        return {name: getattr(self, name) for name in names}
