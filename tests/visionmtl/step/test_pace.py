"""Which step compares the tasks' gradients, told from the count of steps on the host."""

import pytest

from visionmtl.balancing import Balancer
from visionmtl.step.conflicts import Conflicts
from visionmtl.step.pace import Pace


class Often(Balancer):
    """A balancer that compares gradients every so many steps, or with the scope None never."""

    def __init__(self, scope, update_every=1):
        self.scope, self.update_every = scope, update_every


@pytest.mark.parametrize(
    ("balancer", "watched", "at_once", "expected"),
    [
        (Often(None), None, 1, [0, 0, 0, 0, 0, 0]),
        (Often(None), 3, 1, [0, 0, 1, 0, 0, 1]),
        (Often(None), 3, 2, [0, 1, 1, 0, 1, 1]),  # steps 0, 2, 4, ... of two each
        (Often("parameters"), None, 1, [1, 1, 1, 1, 1, 1]),
        (Often("features", 2), 5, 1, [1, 0, 1, 0, 1, 0]),
    ],
)
def test_a_comparison_is_due_when_the_balancer_or_who_watches_asks_for_it(balancer, watched, at_once, expected):
    conflicts = Conflicts(2)
    conflicts.watch(watched)
    pace = Pace(balancer, conflicts, at_once)
    assert [int(pace.compares(lambda: 0)) for _ in expected] == expected
    last = max((step for step, due in enumerate(expected) if due), default=None)
    assert conflicts.step == (None if last is None else last * at_once)


def test_the_optimizer_is_asked_at_first_and_when_it_may_know_better():
    pace = Pace(Often("parameters", 3), Conflicts(2))
    assert [pace.compares(lambda count=count: count) for count in (2, 7, 7)] == [False, True, False]
    pace.ask()
    assert pace.compares(lambda: 9)
    assert pace.behind == 10


def test_all_steps_of_an_update_compare_or_none_and_an_epoch_may_end_within_one():
    pace = Pace(Often("parameters", 2), Conflicts(2), accumulation=3)
    assert [int(pace.compares(lambda: 0)) for _ in range(8)] == [1, 1, 1, 0, 0, 0, 1, 1]
    pace.ask()
    assert [int(pace.compares(lambda: 8)) for _ in range(2)] == [1, 0]
