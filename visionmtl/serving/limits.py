"""What a server takes at most: bytes, pixels, pictures and seconds."""

from dataclasses import dataclass, fields

from visionmtl.errors import check_number

WAITING_BODIES = 8  # of the largest size that may be held in memory at once
WAITING_PIXELS = 8  # pictures of the largest size that may wait, decoded


@dataclass(frozen=True)
class Limits:
    """What a server takes.

    Args:
        body: bytes of a request.
        pixels: of a picture, looked at before it is decoded; a batch of pictures of several requests has no more.
        batch: pictures that run at once.
        queue: pictures that wait; what comes beyond is told to come again (429).
        seconds: that a request takes, from its first byte to its answer.

    Raises:
        UsageError: one is no number above 0, or more pictures run at once than may wait.
    """

    body: int = 32 << 20
    pixels: int = 50_000_000
    batch: int = 8
    queue: int = 64
    seconds: float = 30.0

    def __post_init__(self) -> None:
        for each in fields(self):
            check_number("The server", each.name, getattr(self, each.name), above=0, whole=each.type is int)
        check_number("The server", "batch", self.batch, at_least=1, up_to=self.queue, whole=True)
