"""The learning rate among the logs."""

import keras


class LearningRate(keras.callbacks.Callback):
    """Add `learning_rate` to the logs, whatever schedule it follows; put it before the callbacks that read logs."""

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
