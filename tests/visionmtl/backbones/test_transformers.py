"""Transformers compute what their papers say, on images of any shape, and survive files and other image sizes."""

import functools
import json

import keras
import numpy as np
import pytest
from cases import few

from visionmtl import backbones
from visionmtl.backbones import attention, mix_transformer, safetensors_files, swin, vision_transformer
from visionmtl.errors import UsageError

SIZE = (64, 96, 3)
TINY = {
    "mit": functools.partial(
        mix_transformer.features, channels=(8, 8, 10, 16), depths=(1, 1, 1, 1), heads=(1, 2, 5, 8)
    ),
    "swin": functools.partial(swin.features, channels=8, depths=(1, 2, 1, 1), heads=(1, 2, 4, 8), window=3),
    "vit": functools.partial(vision_transformer.features, channels=16, depth=4, heads=2),
}


def tiny(name, shape=SIZE, **options):
    """A small transformer; every weight is random, those too that start at 0 or 1."""
    image = keras.Input(shape, name="image")
    model = keras.Model(image, TINY[name](image, **options), name=name)
    random = np.random.default_rng(1)
    model.set_weights(
        [w + random.normal(0, 0.3 if w.ndim == 1 else 0.1, w.shape).astype("float32") for w in model.get_weights()]
    )
    return model


def pictures(height, width):
    return np.random.default_rng(0).uniform(0, 255, (2, height, width, 3)).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("name", few(TINY, keep=["mit"]))
def test_stages_compose_to_the_whole_survive_a_file_and_take_weights_at_another_size(name, tmp_path):
    model, image = tiny(name), pictures(*SIZE[:2])
    whole, features = model(image), image
    for level, stage in backbones.stages(model):
        features = stage(features)
        np.testing.assert_array_equal(features, whole[level])
        assert features.shape[1:3] == tuple(side // 2 ** int(level[1]) for side in SIZE[:2])
        assert np.std(features) > 0.1
    model.save(tmp_path / "tiny.keras")
    again = keras.saving.load_model(tmp_path / "tiny.keras")(image)
    np.testing.assert_array_equal(again["P5"], whole["P5"])
    other = tiny(name, (32, 64, 3))
    backbones.pretrained.load(other, tmp_path / "tiny.keras")
    for ours, theirs in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert np.isfinite(other(pictures(32, 64))["P5"]).all()


def direct(query, key, value, heads, bias=None):
    """Attention as equation 1 of Vaswani et al. has it, cell by cell in float64: maps `[H, W, C]` in and out."""
    q, k, v = (x.reshape(-1, x.shape[-1]).astype("float64") for x in (query, key, value))
    wide = q.shape[-1] // heads
    found = np.zeros_like(q)
    for head in range(heads):
        part = slice(head * wide, (head + 1) * wide)
        for cell in range(len(q)):
            logits = k[:, part] @ q[cell, part] / np.sqrt(wide) + (0 if bias is None else bias[cell, :, head])
            weights = np.exp(logits - logits.max())
            found[cell, part] = weights / weights.sum() @ v[:, part]
    return found.reshape(query.shape)


def test_a_cell_attends_to_all_cells_of_a_smaller_map():
    random = np.random.default_rng(0)
    query, key, value = (random.normal(size=(2, *size, 6)).astype("float32") for size in ((4, 6), (2, 3), (2, 3)))
    found = attention.MapAttention(3)([query, key, value])
    for image in range(2):
        np.testing.assert_allclose(found[image], direct(query[image], key[image], value[image], 3), atol=1e-6)


@pytest.mark.parametrize(("shifted", "starts"), [(False, [0, 3, 6]), (True, [0, 1, 4])])
def test_a_cell_attends_to_its_window_alone_by_distance(shifted, starts):
    """A map of 5 x 7 cells in windows of 3, which stick out; shifted ones leave a strip of one cell."""
    random = np.random.default_rng(0)
    maps = [random.normal(size=(1, 5, 7, 4)).astype("float32") for _ in range(3)]
    layer = attention.WindowAttention(2, 3, shifted)
    layer.build([(1, 5, 7, 4)] * 3)
    layer.bias.assign(random.normal(size=(25, 2)))
    found, table = layer(maps).numpy(), layer.bias.numpy().reshape(5, 5, 2)
    rows = [start for start in starts if start < 5]
    for top, bottom in zip(rows, [*rows[1:], 5], strict=True):
        for left, right in zip(starts, [*starts[1:], 7], strict=True):
            window = [x[0, top:bottom, left:right] for x in maps]
            cells = np.argwhere(np.ones(window[0].shape[:2]))
            bias = table[tuple(np.moveaxis(cells[:, None] - cells[None] + 2, -1, 0))]
            np.testing.assert_allclose(found[0, top:bottom, left:right], direct(*window, 2, bias), atol=1e-6)


def sizes(name):
    """The parameters of an architecture, counted from its paper's layers."""
    options = backbones.REGISTRY[name].features.keywords

    def blocks(channels, hidden_extra=0):
        return 2 * 2 * channels + 4 * (channels**2 + channels) + 8 * channels**2 + 5 * channels + hidden_extra

    total, before = 0, 3
    if name.startswith("mit"):
        for c, depth, patch, ratio in zip(
            options["channels"], options["depths"], (7, 3, 3, 3), (8, 4, 2, 1), strict=True
        ):
            reducing = (ratio**2 * c**2 + c + 2 * c) if ratio > 1 else 0
            total += patch**2 * before * c + 5 * c + depth * (blocks(c, 40 * c) + reducing)
            before = c
    elif name.startswith("swin"):
        total = 48 * options["channels"] + 3 * options["channels"]
        for number, (depth, heads) in enumerate(zip(options["depths"], options["heads"], strict=True)):
            c = options["channels"] * 2**number
            total += depth * (blocks(c) + 13**2 * heads) + (2 * c * c + 4 * c if number else 0)
        total += 2 * c
    else:
        c = options["channels"]
        total = 768 * c + c + 196 * c + 12 * blocks(c) + 2 * c
    return total


@pytest.mark.parametrize("name", [name for name in backbones.names() if name.startswith(("mit_", "swin_", "vit_"))])
def test_the_described_size_of_a_transformer_is_its_papers(name):
    assert f" {sizes(name) / 1e6:.1f}M parameters" in backbones.describe(name)


@pytest.mark.slow
def test_the_size_is_counted_as_it_is_built():
    assert sizes("mit_b0") == backbones.build("mit_b0", (32, 32, 3)).count_params()


# Of the files of nvidia/mit-b0, microsoft/swin-tiny-patch4-window7-224 and google/vit-base-patch16-224: a few of each.
THERE = {
    "mit": (
        "segformer.encoder.",
        mix_transformer.hugging_face,
        {
            "patch_embeddings.1.layer_norm.weight": (8,),
            "block.2.0.attention.self.sr.weight": (10, 10, 2, 2),
            "block.3.0.mlp.dwconv.dwconv.weight": (64, 1, 3, 3),
            "layer_norm.3.bias": (16,),
        },
    ),
    "swin": (
        "swin.",
        swin.hugging_face,
        {
            "embeddings.patch_embeddings.projection.weight": (8, 3, 4, 4),
            "encoder.layers.1.blocks.1.attention.self.relative_position_bias_table": (25, 2),
            "encoder.layers.0.downsample.reduction.weight": (16, 32),
            "encoder.layers.2.blocks.0.output.dense.weight": (32, 128),
            "layernorm.weight": (64,),
        },
    ),
    "vit": (
        "vit.",
        vision_transformer.hugging_face,
        {
            "embeddings.position_embeddings": (1, 197, 16),
            "encoder.layer.3.attention.attention.query.weight": (16, 16),
            "encoder.layer.0.layernorm_before.bias": (16,),
        },
    ),
}


def torch_layout(value, layer):
    """An array of Keras's as torch keeps it."""
    if value.ndim == 4 and hasattr(layer, "grid"):
        return np.concatenate([np.zeros((1, 1, value.shape[-1]), "float32"), value.reshape(1, -1, value.shape[-1])], 1)
    if value.ndim == 4:
        return value.transpose((2, 3, 0, 1) if isinstance(layer, keras.layers.DepthwiseConv2D) else (3, 2, 0, 1))
    return value.T if isinstance(layer, keras.layers.Dense) else value


def write(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, value) in tensors.items():
        raw = np.ascontiguousarray(value).tobytes()
        header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


@pytest.mark.parametrize("name", few(THERE, keep=["vit"]))
def test_weights_come_from_files_of_hugging_face_whatever_leads_to_their_names(name, tmp_path, capsys):
    model, (prefix, names, some) = tiny(name), THERE[name]
    tensors = {"classifier.weight": ("F32", np.ones((2, 2), "float32")), "step": ("I64", np.ones(1, "int64"))}
    for layer in model.layers:
        for kind, value in zip(("weight", "bias"), layer.get_weights(), strict=False):
            alone = hasattr(layer, "grid") or isinstance(layer, attention.WindowAttention)
            there = names(layer.name) + ("" if alone else f".{kind}")
            tensors[f"{prefix.partition('.')[0]}.{there}"] = ("F32", torch_layout(value, layer))
    shapes = {key: value.shape for key, (_, value) in tensors.items()}
    assert {prefix + key: shapes.get(prefix + key) for key in some} == {prefix + key: some[key] for key in some}
    classifier, *parts = list(tensors)
    bare = {key.replace(f"{prefix.partition('.')[0]}.", "").removeprefix("encoder." if name == "mit" else "-"): key
            for key in parts}  # fmt: skip
    write(tmp_path / "model.safetensors", tensors)
    write(tmp_path / "bare.safetensors", {key: tensors[theirs] for key, theirs in bare.items()})
    write(tmp_path / "model-00001-of-00002.safetensors", {key: tensors[key] for key in (classifier, *parts[::2])})
    write(tmp_path / "model-00002-of-00002.safetensors", {key: tensors[key] for key in parts[1::2]})
    index = {key: f"model-0000{1 + place % 2}-of-00002.safetensors" for place, key in enumerate(parts)}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    loaded = tiny(name)
    for file, left in (
        ("model.safetensors", True),
        ("bare.safetensors", False),
        ("model.safetensors.index.json", True),
    ):
        loaded.set_weights([0 * value for value in loaded.get_weights()])
        safetensors_files.load(loaded, tmp_path / file, names)
        for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        told = capsys.readouterr().out
        assert told == (f"{tmp_path / file} gives {name} its weights, and is left: classifier.\n" if left else "")


def test_numbers_of_sixteen_bits_are_read(tmp_path):
    write(tmp_path / "x.safetensors", {"a": ("F16", np.float16([1.5])), "b": ("BF16", np.uint16([0x3FC0]))})
    assert {name: float(x[0]) for name, x in safetensors_files.read(tmp_path / "x.safetensors").items()} == {
        "a": 1.5,
        "b": 1.5,
    }


def test_a_file_of_another_architecture_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(UsageError, match="does not exist"):
        backbones.build("vit_tiny", (32, 32, 3), path)
    path.write_bytes(b"no safetensors")
    with pytest.raises(UsageError, match="damaged or no safetensors file"):
        safetensors_files.read(path)
    with pytest.raises(UsageError, match="are read for mit_b0, .*, not for resnet18"):
        backbones.build("resnet18", (32, 32, 3), path)
    model, names = tiny("vit", (32, 32, 3)), vision_transformer.hugging_face
    shard, index = tmp_path / "model-00002-of-00002.safetensors", tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "gone.safetensors"}}))
    bias = {"vit.embeddings.patch_embeddings.projection.bias": ("F32", np.zeros(16, "float32"))}
    kernel, wide = "vit.embeddings.patch_embeddings.projection.weight", np.zeros((8, 3, 16, 16), "float32")
    for file, tensors, message in (
        (path, bias, "is not of backbone 'vit': it has no tensor 'embeddings.patch_embeddings"),
        (shard, bias, "It is one file of several: give the index that names them all"),
        (path, {kernel: ("F32", wide)}, r"has shape \[8, 3, 16, 16\], where the backbone wants \[16, 16, 3, 16\]"),
        (path, {kernel: ("F8_E4M3", wide)}, "is of type F8_E4M3, expected one of F32, F16, F64, BF16"),
        (path, {kernel: ("F32", wide), f"old.{kernel}": ("F32", wide)}, "it holds several, .* alone: old.vit., vit."),
        (index, {}, "gone.safetensors does not exist, which .*index.json names"),
    ):
        if tensors:
            write(file, tensors)
        with pytest.raises(UsageError, match=message):
            safetensors_files.load(model, file, names)
    index.write_text("[]")
    with pytest.raises(UsageError, match="is no index of safetensors files: it has no 'weight_map'"):
        safetensors_files.load(model, index, names)
