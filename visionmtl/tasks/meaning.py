"""What a prediction means, in words that a client can be written from."""

from typing import NamedTuple


class Meaning(NamedTuple):
    """What the numbers of a tensor say.

    Attributes:
        unit: of each number.
        text: what they are, in the order of the tensor's axes.
    """

    unit: str
    text: str
