"""A training as a run of MLflow."""

import keras

from visionmtl.callbacks.tracker import Tracker


class MlflowRun(Tracker):
    """Log each epoch, the settings and the optimizer to MLflow, by its own `MlflowCallback` (extra `mlflow`).

    Where to is MLflow's own to say: `MLFLOW_TRACKING_URI`, `MLFLOW_EXPERIMENT_NAME`; without, a file in the folder that
    the command was given in, with no server. MLflow's callback logs each validation a second time, all of them at step
    0: that half of it is not called.
    """

    priority = 63
    service = "mlflow"

    def begin(self, known: str | None) -> tuple[keras.callbacks.Callback, str]:
        import mlflow
        from mlflow.keras import MlflowCallback

        begun = mlflow.start_run(run_id=known, run_name=None if known else self.run.name)
        if known is None:
            mlflow.log_params(self.settings)
        return MlflowCallback(), begun.info.run_id

    def end(self) -> None:
        import mlflow

        mlflow.flush_async_logging()
        mlflow.end_run()
