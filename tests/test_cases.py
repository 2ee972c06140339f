"""What is kept of a long family of cases."""

import pytest
from cases import few


def marked(cases):
    """The values of the cases that are slow."""
    return [case.values for case in cases if any(mark.name == "slow" for mark in case.marks)]


def test_what_is_not_kept_is_slow():
    assert marked(few(["a", "b", "c"], keep=["b"])) == [("a",), ("c",)]


def test_a_case_of_several_values_is_kept_as_a_whole():
    cases = few([("a", 1), ("a", 2), pytest.param("b", 1, id="last")], keep=[("a", 2)])
    assert marked(cases) == [("a", 1), ("b", 1)]
    assert cases[2].id == "last"


def test_a_case_to_keep_that_is_not_there_is_told():
    with pytest.raises(ValueError, match="'d' is to be kept and is none of the cases"):
        few(["a", "b"], keep=["d"])
