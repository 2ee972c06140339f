"""Warm-up requests: as TensorFlow Serving's own messages read them, and as its signatures take them."""

import numpy as np
import pytest
import tensorflow as tf
import toys
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tensorflow.core.framework.tensor_pb2 import TensorProto

from visionmtl import export

FIELDS = {  # those of tensorflow_serving/apis: the name of a field, its number, its type, and whether it is a list
    "PredictionLog": [("predict_log", 6, "PredictLog", False)],
    "PredictLog": [("request", 1, "PredictRequest", False)],
    "PredictRequest": [("model_spec", 1, "ModelSpec", False), ("inputs", 2, "Entry", True)],
    "ModelSpec": [("signature_name", 3, "", False)],
    "Entry": [("key", 1, "", False), ("value", 2, "bytes", False)],
}


def message(name):
    """The class of a message of FIELDS, made by protobuf from its description."""
    file = descriptor_pb2.FileDescriptorProto(name="warmup.proto", package="warmup", syntax="proto3")
    for owner, fields in FIELDS.items():
        described = file.message_type.add(name=owner)
        for field, number, kind, many in fields:
            made = described.field.add(name=field, number=number, label=3 if many else 1, type=9)
            if kind == "bytes":
                made.type = 12
            elif kind:
                made.type, made.type_name = 11, f".warmup.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"warmup.{name}"))


@pytest.mark.slow
def test_each_request_is_one_that_its_signature_answers(toy_model, tmp_path):
    folder = export.save(toy_model(toys.tasks("scene")), tmp_path / "street")
    served = tf.saved_model.load(folder).signatures
    records = tf.data.TFRecordDataset(str(folder / "assets.extra" / "tf_serving_warmup_requests"))
    asked = []
    for record in records.as_numpy_iterator():
        log = message("PredictionLog").FromString(record)
        request = log.predict_log.request
        inputs = {each.key: tf.constant(tf.make_ndarray(TensorProto.FromString(each.value))) for each in request.inputs}
        answer = served[request.model_spec.signature_name](**inputs)
        asked.append(request.model_spec.signature_name)
        assert answer["image_sizes"].numpy().tolist() == [[toys.SIZE, toys.SIZE]]
        assert not np.any(answer.get("errors", b"") != b"")
    assert asked == ["serving_default", "serving_bytes"]
