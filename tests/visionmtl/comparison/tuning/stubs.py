"""Trainers of trials that train nothing: what a trial comes to is a function of what was drawn."""

import math

from visionmtl import recipe as recipes
from visionmtl.comparison.tuning.trainer import FailedError, Known, Trainer

RECIPE = """
data: {source: garments}
tasks: {a: {}, b: {}}
balancing: {watch: null}
training: {epochs: 9}
"""


class Stub(Trainer):
    """Trains nothing: each epoch is better than the one before, the best rate is 1e-3."""

    def probe(self, recipe, overrides, examples):
        logs = ["val_score", "val_a_acc", "val_b_mIoU", "val_b_RMSE"]
        return Known(["a", "b"], logs, ["val_a_acc", "val_b_mIoU"], ["val_b_RMSE"])

    def train(self, run, recipe, overrides, on_epoch):
        settings = recipes.load(recipe, overrides)
        run.mkdir(parents=True, exist_ok=True)
        (run / "overrides.txt").write_text("\n".join(overrides))
        for epoch in range(1, settings.training.epochs + 1):
            on_epoch({"epoch": epoch, "seconds": 1.0 * epoch} | self.logs(settings, epoch))

    def logs(self, settings, epoch):
        off = abs(math.log10(settings.training.learning_rate) + 3)
        score = epoch / 9 / (1 + off)
        return {"val_score": score, "val_a_acc": score, "val_b_mIoU": epoch * off, "val_b_RMSE": off / epoch}


class Failing(Stub):
    """Fails where the rate is high."""

    LIMIT = 1e-3

    def train(self, run, recipe, overrides, on_epoch):
        if recipes.load(recipe, overrides).training.learning_rate > self.LIMIT:
            raise FailedError("The last 10 steps were all NaN or infinite.")
        super().train(run, recipe, overrides, on_epoch)


class Hopeless(Failing):
    """Fails whatever is drawn."""

    LIMIT = 0


class Killed(Stub):
    """Is killed in the epoch that its class counts down to, once."""

    left = 0

    def logs(self, settings, epoch):
        Killed.left -= 1
        if Killed.left == 0:
            raise MemoryError("killed")
        return super().logs(settings, epoch)


class Deadly(Stub):
    """Is killed in the first epoch of the first trial, again and again."""

    def train(self, run, recipe, overrides, on_epoch):
        if run.name == "0":
            raise MemoryError("killed")
        super().train(run, recipe, overrides, on_epoch)
