"""Worker processes under `tf.distribute`: two of them, on loopback, read what one alone reads."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import pipelines

WORKER = """
import sys
import numpy as np
import tensorflow as tf

strategy = tf.distribute.MultiWorkerMirroredStrategy()
import pipelines

found = {}
for split in ("train", "validation"):
    def read(context):
        worker = context.input_pipeline_id, context.num_input_pipelines
        options = {"augmentation": {"flip": True, "scale": [0.7, 1.5]}, "worker": worker}
        return pipelines.load("coco", (32, 48), 4, path=sys.argv[1], **options).splits[split]

    data = strategy.distribute_datasets_from_function(read)
    for epoch in range(2):
        batches = [tf.nest.flatten(batch) for batch in data]
        for place, parts in enumerate(zip(*batches, strict=True)):
            found[f"{split} {epoch} {place}"] = np.stack([strategy.experimental_local_results(x)[0] for x in parts])


@tf.function
def total(images):
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.reduce_sum(tf.cast(images, tf.float64)))


found["sum"] = strategy.run(total, args=(tf.constant(found["train 1 0"]),)).numpy()
np.savez(sys.argv[2], **found)
"""


@pytest.mark.slow
def test_two_processes_read_each_sample_once(coco, tmp_path):
    for split, count in (("train", 10), ("val", 5)):
        coco({f"{i}.png": [(3, 3 * i, 2 * i, 10, 10 + i)] for i in range(count)}, at=f"data/{split}", masks=True)
    cluster = {"worker": [f"127.0.0.1:{port}" for port in _free_ports(2)]}
    started = []
    for number in range(2):
        task = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": number}})
        command = [sys.executable, "-c", WORKER, str(tmp_path / "data"), str(tmp_path / f"{number}.npz")]
        environment = os.environ | {"TF_CONFIG": task, "TF_CPP_MIN_LOG_LEVEL": "3"}
        started.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
    for one in started:
        _, said = one.communicate(timeout=240)
        assert one.returncode == 0, said
    first, second = (np.load(tmp_path / f"{number}.npz") for number in range(2))

    augmentation = {"flip": True, "scale": [0.7, 1.5]}
    alone = pipelines.load("coco", (32, 48), 4, path=tmp_path / "data", augmentation=augmentation)
    for epoch in range(2):
        whole = [np.stack(parts) for parts in zip(*map(tf.nest.flatten, alone.train), strict=True)]
        for place, expected in enumerate(whole):
            joined = np.concatenate([part[f"train {epoch} {place}"] for part in (first, second)], axis=1)
            np.testing.assert_array_equal(joined, expected)
    assert first["sum"] == second["sum"] == whole[0].astype(np.float64).sum()  # the workers did reach each other

    # Five images in batches of four: what fills the last up weighs nothing, and no image is missing.
    weights = [part[f"validation 0 {len(whole) - 1}"] for part in (first, second)]
    images = np.concatenate([part["validation 0 0"] for part in (first, second)], axis=1)
    counted = images[np.concatenate(weights, axis=1) > 0]
    expected = np.concatenate([images for images, _, _ in alone.validation])
    np.testing.assert_array_equal(counted, expected)


def _free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
