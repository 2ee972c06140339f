"""What the routes of one server have in common."""

from dataclasses import dataclass

from visionmtl.serving.answering import Desk
from visionmtl.serving.limits import Limits
from visionmtl.serving.metrics import Metrics
from visionmtl.serving.versions import Versions


@dataclass
class State:
    """The parts of a server.

    Attributes:
        versions: of the model that is served.
        desk: where pictures are answered.
        limits: of the server.
        metrics: of the server.
        stopping: whether it takes no further requests.
    """

    versions: Versions
    desk: Desk
    limits: Limits
    metrics: Metrics
    stopping: bool = False
