"""What a model does as epochs begin and end costs its steps nothing."""

import toys

from visionmtl.step.epochs import with_epochs


def test_no_callback_of_every_fit_has_keras_wait_for_each_step():
    model = toys.model(toys.tasks("scene"))
    model.compile("sgd")
    for callback in with_epochs(None, model.guard, model.began):
        assert not {"on_batch_end", "on_train_batch_end"} & {*vars(type(callback))}, type(callback).__name__
