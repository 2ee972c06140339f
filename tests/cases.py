"""The cases of a parametrised test: a few that are run always, and the long tail that `make test-all` adds."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def few(values: Iterable[Any], keep: Collection[Any]) -> list[Any]:
    """Mark as `slow` every case but those to keep, so that `make test` runs these and `make test-all` runs all.

    A family that costs more than it proves case by case keeps two or three that differ: the plainest, and one with a
    trait of its own.

    Args:
        values: The cases, as `pytest.mark.parametrize` and `pytest.fixture(params=)` take them: a value, a tuple of
            values for several parameters, or a `pytest.param`.
        keep: The values (tuples for several parameters) that stay unmarked.

    Raises:
        ValueError: A value to keep is not one of the cases, for instance because it has another name by now.

    Example:
        >>> @pytest.mark.parametrize("name", few(visionmtl.balancing.names(), keep=("equal", "pcgrad")))
        ... def test_two_devices_balance_like_one(name): ...
    """
    cases = [value if isinstance(value, type(pytest.param())) else _case(value) for value in values]
    given = [case.values if len(case.values) > 1 else case.values[0] for case in cases]
    for kept in keep:
        if kept not in given:
            raise ValueError(f"{kept!r} is to be kept and is none of the cases {given}.")
    return [
        case if value in keep else pytest.param(*case.values, marks=[*case.marks, pytest.mark.slow], id=case.id)
        for case, value in zip(cases, given, strict=True)
    ]


def _case(value: Any) -> Any:
    return pytest.param(*value) if isinstance(value, tuple) else pytest.param(value)
