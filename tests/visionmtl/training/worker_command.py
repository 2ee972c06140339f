"""`visionmtl` with the toy backbone, in a process that may be killed behind a step.

    python worker_command.py EPOCH STEP ARGUMENT...

kills itself once so many steps of an epoch, both from 0, are behind; with "-" for both it does not.
"""

import os
import signal
import sys

import toy_backbone

from visionmtl import cli
from visionmtl.step.position import Position


def dying(place):
    """Have this process killed once a training is at a place."""
    went = Position.went

    def killed(self, *given):
        went(self, *given)
        if (self.epoch, self.step) == place:
            os.kill(os.getpid(), signal.SIGKILL)

    Position.went = killed


if __name__ == "__main__":
    toy_backbone.register()
    epoch, step, *words = sys.argv[1:]
    if epoch != "-":
        dying((int(epoch), int(step)))
    sys.exit(cli.main(words))
