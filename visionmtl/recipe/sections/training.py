"""The section `training` of a recipe."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator, Field

from visionmtl.recipe.sections.section import Names, Real, Section, Whole


def _by_steps(value: Any) -> Any:
    return {"minutes": None, "steps": value} if isinstance(value, int) and not isinstance(value, bool) else value


class Checkpoint(Section):
    """When the state that `--resume` goes on from is saved: so many steps, or `{minutes: 10, steps: null, keep: 2}`."""

    minutes: float | None = Field(
        10.0, gt=0, description="after which one is saved, beside those at every epoch's end; null for none between"
    )
    steps: int | None = Field(None, ge=1, description="after which one is saved; null for none between")
    keep: int = Field(2, ge=1, description="how many of the last are kept")


class Training(Section):
    """The optimizer, its schedule, and when to stop."""

    epochs: int = Field(20, ge=1, description="passes over the training images")
    steps: int | None = Field(None, ge=1, description="steps in an epoch; null for all images")
    accumulate: int = Field(
        1,
        ge=1,
        description="steps an update: batches of 4 with 2 train about as those of 8, in half the memory",
    )
    optimizer: Literal["adamw", "sgd", "adam"] = Field("adamw", description="sgd has Nesterov momentum 0.9")
    learning_rate: float = Field(1e-3, gt=0, description="at the top of the schedule")
    scale_learning_rate: Literal["none", "linear", "sqrt"] = Field(
        "none",
        description="with the images of an update, all devices' and accumulated, over base_batch_size; sqrt for adamw",
    )
    base_batch_size: int | None = Field(
        None, ge=1, description="images of an update that learning_rate was chosen for; see scale_learning_rate"
    )
    backbone_rate: float = Field(1.0, gt=0, description="the backbone learns at this multiple of learning_rate")
    layer_decay: float = Field(
        1.0,
        gt=0,
        le=1,
        description="each stage of the backbone learns at this fraction of the next one's rate, the last of the heads'",
    )
    schedule: Literal["cosine", "constant"] = Field("cosine", description="after warm-up: cosine to zero, or constant")
    warmup_epochs: float = Field(1.0, ge=0, description="epochs of linear rise from zero, at most half of all")
    weight_decay: float = Field(
        1e-4, ge=0, description="on kernels and low-rank matrices: not on biases, norms or balancers"
    )
    clip_norm: float | None = Field(10.0, gt=0, description="largest global norm of the gradient; null for no limit")
    ema: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="momentum of averaged weights, as 0.998, or as much as the updates allow; null for none",
    )
    freeze: Names = Field(
        [],
        description="parts that do not learn: backbone, a level as P3, sharing, neck, a task, or its own <task>_neck",
    )
    freeze_statistics: Names = Field(
        [], description="parts whose batch normalisation keeps its statistics while their weights learn: [backbone]"
    )
    synchronise_statistics: bool = Field(
        True,
        description="batch normalisations use the statistics of all GPUs together; false: each GPU its own, faster",
    )
    sizes: dict[Whole, Real] | None = Field(
        None,
        description="fractions of data.image_size that images are trained at, by first epoch: {0: 0.5, 6: 0.75, 12: 1}",
    )
    strategy: Literal["auto", "mirrored", "multi_worker"] = Field(
        "auto",
        description="mirrored: all GPUs of this machine; multi_worker: of all workers in TF_CONFIG; auto: by TF_CONFIG",
    )
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = Field("float32", description="of computation")
    remat: Names = Field(
        [], description="parts, as of freeze, computed again on the way back instead of kept in memory: [backbone]"
    )
    jit: bool = Field(
        False,
        description="the step is compiled by XLA, on one device: its first takes minutes, see benchmarks/RESULTS.md",
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="of every task that classifies")
    monitor: str = Field(
        "val_score", description="the log that names the best epoch, higher is better; of val_score see tasks.ceiling"
    )
    early_stopping: int | None = Field(None, ge=1, description="validations without a better model; null for never")
    patience_nan: int | None = Field(
        10, ge=1, description="steps in a row that are NaN or infinite, and skipped, before it stops; null for never"
    )
    validate_every: int = Field(1, ge=1, description="epochs between validations")
    checkpoint: Annotated[Checkpoint, BeforeValidator(_by_steps)] = Checkpoint()
    log: list[Literal["tensorboard", "mlflow", "wandb"]] = Field(
        ["tensorboard"], description="who is told of it as it goes on: tensorboard, mlflow, wandb; [] for nobody"
    )
    log_every: int = Field(
        20, ge=1, description="steps between points of the losses and of the learning rate; each epoch's end is one too"
    )
    log_graph: bool = Field(False, description="TensorBoard gets the graph of the network")
    log_histograms: bool = Field(
        False, description="TensorBoard gets how the values of each variable are distributed, at each epoch's end"
    )
    profile: tuple[Whole, Whole] | None = Field(
        None, description="the first and last step that TensorFlow's profiler records, as [10, 20]; null for none"
    )
    seed: int = Field(0, ge=0, lt=2**32, description="of weights, shuffling and augmentation")
    verbose: Literal[0, 1, 2] | None = Field(
        None, description="0 silent, 1 a bar, 2 a line an epoch; null for a bar on a terminal, lines elsewhere"
    )

    @pydantic.model_validator(mode="after")
    def _scaled_from(self) -> "Training":
        if self.scale_learning_rate != "none" and self.base_batch_size is None:
            rule = self.scale_learning_rate
            raise ValueError(
                f"base_batch_size, the images that learning_rate was chosen for, beside its scaling: {rule}"
            )
        return self

    @pydantic.model_validator(mode="after")
    def _profiled_steps(self) -> "Training":
        if self.profile is not None and not 1 <= self.profile[0] <= self.profile[1]:
            raise ValueError(f"profile as the numbers of two steps from 1 on, as [10, 20], not {list(self.profile)}")
        return self

    @pydantic.model_validator(mode="after")
    def _sizes_of_epochs(self) -> "Training":
        if self.sizes is None:
            return self
        if 0 not in self.sizes or not all(0 <= epoch < self.epochs for epoch in self.sizes):
            raise ValueError(f"sizes by epochs from 0, which must be there, to {self.epochs - 1}, the last")
        if not all(0 < fraction <= 1 for fraction in self.sizes.values()):
            raise ValueError("sizes that are fractions above 0 and up to 1, as {0: 0.5, 6: 0.75, 12: 1}")
        return self
