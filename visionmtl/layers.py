"""The Keras layers models here are built from; each works alone in any Keras model."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from visionmtl.errors import UsageError, one_of


@keras.saving.register_keras_serializable("visionmtl")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Keras's batch normalisation by TensorFlow's fused kernel, with statistics of all replicas.

    Same numbers, same variables, same arguments: Keras computes it from nine elementwise operations and their
    gradients, which take a third of a training step on a CPU. Several replicas share their statistics
    (`synchronized`), so that two devices train like one.

    Call: `[B, H, W, C]` -> the same shape; other shapes take Keras's way.
    """

    def __init__(self, synchronized=True, **kwargs):
        super().__init__(synchronized=synchronized, **kwargs)

    def call(self, inputs, training=None, mask=None):
        learning = bool(training) and self.trainable
        plain = mask is None and not self.renorm and self.scale and self.center
        images = len(inputs.shape) == 4 and self.axis in (-1, 3)
        alone = tf.distribute.get_strategy().num_replicas_in_sync == 1 or not (learning and self.synchronized)
        if not (plain and images and alone):
            return super().call(inputs, training=training, mask=mask)
        inputs = tf.convert_to_tensor(inputs)
        known = [tf.zeros((0,))] * 2 if learning else [self.moving_mean, self.moving_variance]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=tf.convert_to_tensor(known[0]),
            variance=tf.convert_to_tensor(known[1]),
            epsilon=self.epsilon,
            is_training=learning,
        )
        if learning:
            # The kernel returns the variance of a sample (n - 1); Keras keeps the population's (n).
            count = tf.cast(tf.reduce_prod(tf.shape(inputs)[:3]), tf.float32)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance * (count - 1) / count)
        return outputs

    def _follow(self, moving, value):
        moving.assign(moving * self.momentum + value * (1.0 - self.momentum))


def fuse_normalisation(model: keras.Model) -> keras.Model:
    """Return a copy of a functional model, weights included, whose batch normalisations are the fused ones."""

    def copy(layer):
        if type(layer) is not keras.layers.BatchNormalization:
            return layer.__class__.from_config(layer.get_config())
        return FusedBatchNormalization.from_config(layer.get_config() | {"synchronized": True})

    fused = keras.models.clone_model(model, clone_function=copy)
    fused.set_weights(model.get_weights())
    return fused


@keras.saving.register_keras_serializable("visionmtl")
class ConvBlock(keras.layers.Layer):
    """Convolution, batch normalisation and ReLU6, keeping the image's size divided by `strides`.

    Args:
        channels: channels of the output.
        kernel_size: pixels on a side.
        strides: pixels between outputs.
        separable: a depthwise convolution and then a pointwise one, about eight times cheaper than a full 3 x 3.
        activation: name of the activation; None for none.

    Call: `[B, H, W, C]` -> `[B, H / strides, W / strides, channels]`.
    """

    def __init__(self, channels, kernel_size=3, strides=1, separable=True, activation="relu6", **kwargs):
        super().__init__(**kwargs)
        self.channels, self.kernel_size, self.strides = channels, kernel_size, strides
        self.separable, self.activation = separable, activation
        self.depthwise = None
        if separable:
            self.depthwise = keras.layers.DepthwiseConv2D(
                kernel_size,
                strides,
                padding="same",
                use_bias=False,
                depthwise_initializer="he_normal",
                name="depthwise",
            )
        self.convolution = keras.layers.Conv2D(
            channels,
            1 if separable else kernel_size,
            1 if separable else strides,
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name="convolution",
        )
        self.normalisation = FusedBatchNormalization(momentum=0.97, epsilon=1e-3, name="normalisation")
        self.activate = keras.layers.Activation(activation, name="activation")

    def build(self, input_shape):
        shape = tuple(input_shape)
        if self.depthwise is not None:
            self.depthwise.build(shape)
            shape = self.depthwise.compute_output_shape(shape)
        self.convolution.build(shape)
        self.normalisation.build(self.convolution.compute_output_shape(shape))
        super().build(input_shape)

    def call(self, inputs, training=None):
        x = inputs if self.depthwise is None else self.depthwise(inputs)
        return self.activate(self.normalisation(self.convolution(x), training=training))

    def compute_output_shape(self, input_shape):
        height, width = (None if side is None else -(-side // self.strides) for side in input_shape[1:3])
        return (input_shape[0], height, width, self.channels)

    def get_config(self):
        names = ("channels", "kernel_size", "strides", "separable", "activation")
        return super().get_config() | {name: getattr(self, name) for name in names}


@keras.saving.register_keras_serializable("visionmtl")
class SharedBlock(keras.layers.Layer):
    """A separable convolution whose kernels serve all levels, with a batch normalisation for each: their scales differ.

    Args:
        channels: channels of the output.
        levels: the names of the levels it is called on.

    Call: `[B, H, W, C]` and the level's name -> `[B, H, W, channels]`.

    Reference: Tan, Pang and Le 2020, EfficientDet, which shares its heads the same way.
    """

    def __init__(self, channels, levels, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.levels = channels, list(levels)
        self.depthwise = keras.layers.DepthwiseConv2D(
            3, padding="same", use_bias=False, depthwise_initializer="he_normal", name="depthwise"
        )
        self.pointwise = keras.layers.Conv2D(
            channels, 1, use_bias=False, kernel_initializer="he_normal", name="pointwise"
        )
        self.normalisations = {
            level: FusedBatchNormalization(momentum=0.97, epsilon=1e-3, name=f"normalisation_{level}")
            for level in self.levels
        }

    def build(self, input_shape, **kwargs):
        self.depthwise.build(input_shape)
        self.pointwise.build(input_shape)
        for level in self.levels:
            self.normalisations[level].build((*tuple(input_shape)[:3], self.channels))
        super().build(input_shape)

    def call(self, inputs, level, training=None):
        x = self.pointwise(self.depthwise(inputs))
        return ops.relu6(self.normalisations[level](x, training=training))

    def compute_output_shape(self, input_shape, **kwargs):
        return (*tuple(input_shape)[:3], self.channels)

    def get_config(self):
        return super().get_config() | {"channels": self.channels, "levels": self.levels}


@keras.saving.register_keras_serializable("visionmtl")
class DepthToSpace(keras.layers.Layer):
    """Spread groups of channels over the pixels of a finer map: `[B, H, W, C * n * n]` -> `[B, H * n, W * n, C]`.

    Reference: Shi et al. 2016, Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel CNN.
    """

    def __init__(self, block_size=2, **kwargs):
        super().__init__(**kwargs)
        self.block_size = block_size

    def call(self, inputs):
        return tf.nn.depth_to_space(inputs, self.block_size)

    def compute_output_shape(self, input_shape):
        n = self.block_size
        height, width = (None if side is None else side * n for side in input_shape[1:3])
        return (input_shape[0], height, width, input_shape[3] // (n * n))

    def get_config(self):
        return super().get_config() | {"block_size": self.block_size}


@keras.saving.register_keras_serializable("visionmtl")
class UncertaintyWeighting(keras.layers.Layer):
    """Sum task losses, each weighted by a learnt uncertainty: `L * exp(-s) * c + s / 2`.

    `s`, the log of the task's variance, starts at 0 and is trained with the model: a task whose loss is noisy is
    weighted down, and `s` itself keeps the weight from falling to zero. `c` is 1/2 for a regression and 1 for a
    classification. Exempt `s` from weight decay: it is no size of the function but a property of the data.

    Args:
        regression: for each task, whether its loss is a regression's (squared error), else a classification's
            (cross-entropy).

    Call: a list of K losses of one shape, `[]` or `[B]`, or one tensor `[..., K]` -> their weighted sum, `[]` or `[B]`.

    Reference: Kendall, Gal and Cipolla 2018, Multi-Task Learning Using Uncertainty to Weigh Losses, equations 7 to 10.

    Example:
        Alone in a plain Keras model: the losses are computed inside, their sum is the output and the loss.

        >>> image, target, label = keras.Input((32, 32, 3)), keras.Input(()), keras.Input(())
        >>> x = keras.layers.Flatten()(image)
        >>> squared = (keras.layers.Dense(1)(x)[:, 0] - target) ** 2
        >>> entropy = keras.losses.sparse_categorical_crossentropy(label, keras.layers.Dense(10)(x), from_logits=True)
        >>> total = visionmtl.layers.UncertaintyWeighting(regression=[True, False])([squared, entropy])
        >>> model = keras.Model([image, target, label], total)
        >>> model.compile("adam", loss=lambda _, total: total)
    """

    def __init__(self, regression, dtype="float32", **kwargs):
        super().__init__(dtype=dtype, **kwargs)  # losses are sums: half precision would round small tasks away
        self.regression = [bool(value) for value in regression]

    def build(self, input_shape):
        self.log_variance = self.add_weight(
            name="log_variance", shape=(len(self.regression),), initializer="zeros", dtype="float32"
        )
        super().build(input_shape)

    def weights_of_losses(self):
        """Return what multiplies each loss now, `[K]`: `exp(-s) * c`."""
        halves = [0.5 if value else 1.0 for value in self.regression]
        return ops.exp(-self.log_variance) * ops.convert_to_tensor(halves, "float32")

    def call(self, losses, present=None):
        if isinstance(losses, (list, tuple)):
            losses = ops.stack(losses, axis=-1)
        terms = ops.cast(losses, "float32") * self.weights_of_losses() + self.log_variance / 2
        # A task without labels in this batch says nothing about its uncertainty: `s` must not drift meanwhile.
        return ops.sum(terms if present is None else terms * ops.cast(present, "float32"), axis=-1)

    def compute_output_shape(self, input_shape):
        return input_shape[0] if isinstance(input_shape, list) else input_shape[:-1]

    def get_config(self):
        return super().get_config() | {"regression": self.regression}


@keras.saving.register_keras_serializable("visionmtl")
class CrossStitch(keras.layers.Layer):
    """Mix K tensors of one shape: each goes on as a learnt weighted sum of all, `y_i = sum_j w_ij * x_j`.

    Args:
        units: "channel" for weights of every channel's own, `w` of shape `[K, K, C]`; "layer" for `[K, K]`.
        own: at the start, the weight of a tensor itself, 0 to 1; the others share the rest equally, so that a mean over
            K keeps its scale. Default 0.9.
        speed: what the trained variable's change is multiplied by in the weights, above 0: under gradient descent they
            learn `speed ** 2` times as fast as the network. Default 10, the paper's 100 times.

    Call: a list of K tensors `[B, ..., C]` -> a list of K tensors of that shape.

    Raises:
        UsageError: an option or what the layer is called on is none of these.

    Reference: Misra et al. 2016, Cross-stitch Networks for Multi-task Learning; section 4.1 has the faster learning, of
    100 to 1000 times.

    Example:
        >>> image = keras.Input((32, 32, 3))
        >>> maps = [keras.layers.Conv2D(16, 3, activation="relu")(image) for _ in range(2)]
        >>> one, other = visionmtl.layers.CrossStitch()(maps)
    """

    def __init__(self, units="channel", own=0.9, speed=10.0, **kwargs):
        super().__init__(**kwargs)
        self.units = one_of(units, ("channel", "layer"), "cross-stitch units")
        self.own, self.speed = own, speed
        near_identity(1, own)  # refuses what is no weight
        if isinstance(speed, bool) or not isinstance(speed, (int, float)) or not 0 < speed < float("inf"):
            raise UsageError(f"speed was given as {speed!r}: expected a number above 0.")

    def build(self, input_shape):
        shapes = list(input_shape)
        if not shapes or not all(isinstance(shape, (list, tuple)) and shape == shapes[0] for shape in shapes):
            raise UsageError(f"CrossStitch mixes a list of tensors of one shape, but was given {input_shape}.")
        self.start = near_identity(len(shapes), self.own)
        if self.units == "channel":
            self.start = np.repeat(self.start[:, :, None], shapes[0][-1], axis=2)
        self.change = self.add_weight(name="change", shape=self.start.shape, initializer="zeros")
        super().build(input_shape)

    @property
    def weight(self):
        """The weights as they are now, `[K, K]` or `[K, K, C]`: row i is what tensor i takes of each."""
        change = ops.convert_to_tensor(self.change)
        return ops.cast(self.start, change.dtype) + self.speed * change

    def call(self, inputs):
        rows = [ops.unstack(row) for row in ops.unstack(self.weight)]
        return [tf.add_n([weight * x for weight, x in zip(row, inputs, strict=True)]) for row in rows]

    def compute_output_shape(self, input_shape):
        return list(input_shape)

    def get_config(self):
        return super().get_config() | {"units": self.units, "own": self.own, "speed": self.speed}


def near_identity(count: int, own: float) -> np.ndarray:
    """Return the weights `[K, K]` with which K things start that mix: `own` of itself, the rest shared by the others.

    One alone keeps the weight 1.

    Raises:
        UsageError: `own` is not between 0 and 1.
    """
    if isinstance(own, bool) or not isinstance(own, (int, float)) or not 0 <= own <= 1:
        raise UsageError(
            f"own was given as {own!r}: expected a number from 0 to 1, what each keeps of itself at first."
        )
    rest = (1 - own) / max(count - 1, 1)
    return np.where(np.eye(count) > 0, own if count > 1 else 1.0, rest).astype("float32")
