"""What may be asked of an epoch over several sources: how it draws, its numbers and its length.

Recipes are checked by the same rules, without TensorFlow.
"""

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Literal, get_args

from pipelines.ranges import Range

Method = Literal["proportional", "uniform", "temperature", "annealed", "curriculum", "alternate", "balanced"]
METHODS: tuple[str, ...] = get_args(Method)
Length = Literal["longest", "shortest"]
LENGTHS: tuple[str, ...] = get_args(Length)

TEMPERATURE = Range(1.0, inf, "a number of at least 1")
FLOOR = Range(0.0, 1.0, "a number from 0 to 1")
THRESHOLD = Range(0.0, 1.0, "a fraction from 0 to 1")

# By the option of a method that is a number: returns it; a ValueError says what was expected.
NUMBERS: Mapping[str, Callable[[Any], float]] = {"temperature": TEMPERATURE, "floor": FLOOR, "threshold": THRESHOLD}
