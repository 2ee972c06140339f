"""What watches a training; one file a callback."""

from visionmtl.callbacks.backup import Backup
from visionmtl.callbacks.checkpoint import Checkpoint
from visionmtl.callbacks.gradient_watch import GradientWatch
from visionmtl.callbacks.history import History
from visionmtl.callbacks.learning_rate import LearningRate
from visionmtl.callbacks.patience import Patience
from visionmtl.callbacks.seconds import Seconds
from visionmtl.callbacks.sharing_watch import SharingWatch
from visionmtl.callbacks.source_shares import Shares
from visionmtl.callbacks.tensorboard import TensorBoard

__all__ = [
    "Backup",
    "Checkpoint",
    "GradientWatch",
    "History",
    "LearningRate",
    "Patience",
    "Seconds",
    "Shares",
    "SharingWatch",
    "TensorBoard",
]
