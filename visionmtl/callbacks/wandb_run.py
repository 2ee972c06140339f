"""A training as a run of Weights & Biases."""

import keras

from visionmtl.callbacks.tracker import Tracker


class WandbRun(Tracker):
    """Log each epoch and the settings to Weights & Biases, by its own `WandbMetricsLogger` (extra `wandb`).

    `WANDB_MODE=offline` writes to the run folder's `wandb/` alone, for `wandb sync`; `WANDB_PROJECT` names the project.
    """

    priority = 64
    service = "wandb"

    def begin(self, known: str | None) -> tuple[keras.callbacks.Callback, str]:
        import wandb
        from wandb.integration.keras import WandbMetricsLogger

        begun = wandb.init(dir=str(self.run), name=self.run.name, id=known, resume="allow", config=self.settings)
        return WandbMetricsLogger(), begun.id

    def end(self) -> None:
        import wandb

        wandb.finish()
