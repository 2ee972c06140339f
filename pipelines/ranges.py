"""What a number may be, told once: for what is given in Python and for the keys of a recipe."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Args:
        low: the lowest.
        high: the highest.
        expected: the end of the sentence for what is none of them, as "degrees from 0 to 180".

    Example:
        >>> Range(0, 180, "degrees from 0 to 180")(90)
        90.0
    """

    low: float
    high: float
    expected: str

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def __call__(self, value: Any) -> float:
        """Return a number as a float.

        Raises:
            ValueError: it is none of these; its text says what was expected.
        """
        if value not in self:
            raise ValueError(self.expected)
        return float(value)
