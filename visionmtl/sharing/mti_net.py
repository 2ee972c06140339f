"""MTI-Net: tasks tell each other at every scale what they found, and what they found coarsely goes on to finer scales.

From the coarsest scale s to the finest, a task k makes features F of the shared map X and of what came from the scale
before; a first prediction of them learns from the labels too. All tasks' features attend to each other and go on (G),
and what the others tell, each where it attends to itself, is added to those that the task's own head reads (O):

    F_k,s = refine_k,s([X_s, up(G_k,s+1)])
    G_k,s = F_k,s + squeeze_k,s(reduce_s(softmax_over_tasks(f_s([F_1,s .. F_K,s])) * [F_1,s .. F_K,s]))
    O_k,s = F_k,s + sum over l != k of sigmoid(A_kl,s F_l,s) * (W_kl,s F_l,s)

Take it for dense tasks that know of each other in different ways at different scales, such as edges at fine ones and
depth at coarse ones. It costs a block and a head a task and level, a block over all tasks a level, and two convolutions
a pair of tasks and level; `distillation` is cheaper.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from visionmtl.errors import UsageError, check_flag, check_number
from visionmtl.layers.convolution import ConvBlock
from visionmtl.sharing.base.built import Auxiliary, Made, Outputs
from visionmtl.sharing.base.scheme import Scheme, Tasks
from visionmtl.sharing.base.stages import Maps

Features = dict[str, keras.KerasTensor]  # of one level, by task


@dataclass(frozen=True)
class MTINet(Scheme):
    """Tasks distil each other at every scale, from features that are propagated from coarse to fine.

    Of a task whose head makes one thing of all levels (pixels, the whole image) the first prediction of a scale is what
    such a head says of that level alone, and there is a loss for each scale. A head that says something of every level
    by itself (boxes) is one for all scales, with one loss: no box is asked of a level that is not for its size. The
    last step of the paper, which brings all scales to the finest and joins them, is what a pixel-wise head does; the
    other heads read the scales as they always do.

    X are the maps of the neck, all equally wide; the authors' are the backbone's, each of its own width. `refine` is
    one residual block where the authors' code has two, and f, before its last convolution, a plain convolution where it
    has two such blocks; activations are cut off at 6. As in that code, features go on as they are before O, the masked
    features pass a convolution W, and every scale's first loss weighs as much as the last. The softmax is over tasks,
    channel by channel, as the paper says; in the code, whose channels lie otherwise, it is over neighbouring channels
    of a task.

    Args:
        initial_weight: of each first prediction's loss beside the final one, at least 0; 1 in the authors' code.
        propagate: whether what was found at a scale goes on to the next (G), as in the paper.
        squeeze: what the width is divided by within `squeeze`, at least 1; 16 in the authors' code.
        separable: whether convolutions of 3 x 3 are separable, about eight times cheaper than the authors' full ones.

    Reference: Vandenhende, Georgoulis and Van Gool 2020, MTI-Net: Multi-Scale Task Interaction Networks for Multi-Task
    Learning; Hu, Shen and Sun 2018, Squeeze-and-Excitation Networks (`squeeze`).
    """

    initial_weight: float = 1.0
    propagate: bool = True
    squeeze: int = 16
    separable: bool = True

    name = "mti_net"

    def __post_init__(self) -> None:
        who = f"sharing '{self.name}'"
        check_number(who, "initial_weight", self.initial_weight, at_least=0)
        check_flag(who, "propagate", self.propagate)
        check_number(who, "squeeze", self.squeeze, at_least=1, whole=True)
        check_flag(who, "separable", self.separable)

    def heads(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Outputs]:
        coarse_to_fine = sorted(next(iter(maps.values())), reverse=True)
        initial: dict[str, Maps] = {task: {} for task in tasks}
        final: dict[str, Maps] = {task: {} for task in tasks}
        come: Features = {}
        for level in coarse_to_fine:
            features = {
                task: self.refined(maps[task][level], come.get(task), f"mti_net_{task}_{level}") for task in tasks
            }
            for task in tasks:
                initial[task][level] = features[task]
                final[task][level] = self.distilled(task, features, level)
            come = self.propagated(features, level) if self.propagate and level != coarse_to_fine[-1] else {}
        outputs = {name: task.outputs(final[name]) for name, task in tasks.items()}
        return Made(outputs, {name: self._first(task, initial[name]) for name, task in tasks.items()})

    def refined(self, x: keras.KerasTensor, come: keras.KerasTensor | None, name: str) -> keras.KerasTensor:
        """Return a task's features at a level, of the shared map there and of what came from the level before."""
        channels = x.shape[-1]
        if come is not None:
            come = keras.layers.UpSampling2D(interpolation="bilinear", name=f"{name}_come")(come)
            x = keras.layers.Concatenate(name=f"{name}_read")([x, come])
        return self._block(x, channels, f"{name}_refine")

    def propagated(self, features: Features, level: str) -> Features:
        """Return what of a level's features goes on to the next finer one, by task."""
        name, (any_one, *others) = f"mti_net_{level}", features.values()
        height, width, channels = any_one.shape[1:]
        shared = any_one
        if others:  # alone, a task has all of the attention
            count = len(features)
            together = keras.layers.Concatenate(name=f"{name}_together")(list(features.values()))
            seen = self._convolution(max(count * channels // 4, 1), f"{name}_see")(together)
            shape = (height, width, count, channels)
            mask = keras.layers.Conv2D(count * channels, 1, name=f"{name}_attend")(seen)
            mask = keras.layers.Reshape(shape, name=f"{name}_by_task")(mask)
            mask = keras.layers.Softmax(axis=3, name=f"{name}_mask")(mask)
            apart = keras.layers.Reshape(shape, name=f"{name}_apart")(together)
            attended = keras.layers.Multiply(name=f"{name}_attended")([mask, apart])
            shared = keras.layers.Reshape((height, width, count * channels), name=f"{name}_joined")(attended)
        shared = self._block(shared, channels, f"{name}_reduce")
        return {task: self._squeezed(shared, x, f"mti_net_{task}_{level}") for task, x in features.items()}

    def distilled(self, task: str, features: Features, level: str) -> keras.KerasTensor:
        """Return a task's features at a level plus what the other tasks tell it there."""
        name = f"mti_net_{task}_{level}"
        told = [
            Message(self.separable, name=f"{name}_from_{other}")(x) for other, x in features.items() if other != task
        ]
        return keras.layers.Add(name=f"{name}_distilled")([features[task], *told]) if told else features[task]

    def _first(self, task: Any, features: Maps) -> list[Auxiliary]:
        """Return the first predictions of a task, made of its features by heads like its own."""
        if task.by_level:
            return [Auxiliary(_head(task, "initial").outputs(features), self.initial_weight)]
        made = []
        for level, x in features.items():
            try:
                outputs = _head(task, f"initial_{level}").outputs({level: x})
            except KeyError as error:
                raise UsageError(
                    f"sharing '{self.name}' asks task '{task.name}' for a first prediction of {level} alone, and its"
                    f" head reads {error}, too: let outputs() take whatever levels it is given, or set `by_level` where"
                    " the loss is of all levels together."
                ) from error
            made.append(Auxiliary(outputs, self.initial_weight, level))
        return made

    def _squeezed(self, shared: keras.KerasTensor, own: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """Return a task's features plus those channels of the shared ones that it takes."""
        channels = own.shape[-1]
        mean = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(shared)
        narrow = keras.layers.Dense(max(channels // self.squeeze, 1), "relu", name=f"{name}_squeeze")(mean)
        taken = keras.layers.Dense(channels, "sigmoid", name=f"{name}_excite")(narrow)
        taken = keras.layers.Multiply(name=f"{name}_taken")([shared, taken])
        return keras.layers.Add(name=f"{name}_going_on")([own, taken])

    def _block(self, x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
        """Return a residual block of two convolutions, `[B, h, w, channels]`."""
        inner = self._convolution(channels, f"{name}_1")(x)
        inner = self._convolution(channels, f"{name}_2", activation=None)(inner)
        if x.shape[-1] != channels:
            x = ConvBlock(channels, 1, separable=False, activation=None, name=f"{name}_short")(x)
        return keras.layers.ReLU(6.0, name=name)(keras.layers.Add(name=f"{name}_add")([x, inner]))

    def _convolution(self, channels: int, name: str, activation: str | None = "relu6") -> ConvBlock:
        return ConvBlock(channels, separable=self.separable, activation=activation, name=name)


def _head(task: Any, name: str) -> Any:
    """Return a task like another under a name of its own."""
    return type(task).from_config(task.get_config() | {"name": f"{task.name}_{name}"})


@keras.saving.register_keras_serializable("visionmtl")
class Message(keras.layers.Layer):
    """What a map tells, where it attends to itself: `sigmoid(A x) * (W x)`, in which A and W are convolutions of 3 x 3.

    Args:
        separable: whether these are separable.

    Call: `[B, H, W, C]` -> the same shape.
    """

    def __init__(self, separable: bool = True, **kwargs: Any):
        super().__init__(**kwargs)
        self.separable = separable

    def build(self, input_shape: Any) -> None:
        channels = input_shape[-1]
        shapes = {"depthwise": (3, 3, channels, 1), "pointwise": (1, 1, channels, channels)}
        shapes = shapes if self.separable else {"kernel": (3, 3, channels, channels)}
        self.attention, self.content = (
            [self.add_weight(name=f"{what}_{kernel}", shape=shape) for kernel, shape in shapes.items()]
            for what in ("attention", "content")
        )
        super().build(input_shape)

    def call(self, inputs: Any) -> Any:
        convolve = ops.separable_conv if self.separable else ops.conv
        attention, content = (convolve(inputs, *each, padding="same") for each in (self.attention, self.content))
        return ops.sigmoid(attention) * content

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"separable": self.separable}
