"""Transformers give the numbers of KerasHub's with the same weights; skipped where KerasHub is not installed.

`pip install keras-hub` in an environment of its own: it takes 230 MB, and other versions of what keras-cv takes.
"""

import functools

import keras
import numpy as np
import pytest

from visionmtl.backbones import mix_transformer, swin, vision_transformer

keras_hub = pytest.importorskip("keras_hub")

CHANNELS = (8, 8, 10, 16)


def ours(features, side):
    image = keras.Input((side, side, 3), name="image")
    model = keras.Model(image, features(image))
    random = np.random.default_rng(1)
    model.set_weights([w + random.normal(0, 0.2, w.shape).astype("float32") for w in model.get_weights()])
    return model


def give(model, pairs):
    """Set the weights of layers of KerasHub's, each from one of ours or several side by side."""
    for names, theirs in pairs:
        values = [model.get_layer(name).get_weights() for name in names.split()]
        joined = [np.concatenate(same, axis=-1) for same in zip(*values, strict=True)]
        theirs.set_weights([value.reshape(w.shape) for value, w in zip(joined, theirs.get_weights(), strict=True)])


def rows(own, layers):
    return [(f"{own}_{name}", layer) for name, layer in layers.items()]


def agree(model, theirs, level, image, within=1e-4):
    found, normal = model(image)[level], model.get_layer("normalization")
    np.testing.assert_allclose(found, theirs(normal(image)), atol=within * np.std(found))


def test_mix_transformer_is_keras_hubs():
    model = ours(functools.partial(mix_transformer.features, channels=CHANNELS, depths=(1, 2, 1, 1)), 64)
    theirs = keras_hub.models.MiTBackbone(
        image_shape=(64, 64, 3), hidden_dims=list(CHANNELS), layerwise_depths=[1, 2, 1, 1], num_layers=4,
        layerwise_num_heads=[1, 2, 5, 8], layerwise_sr_ratios=[8, 4, 2, 1], max_drop_path_rate=0.0,
        layerwise_patch_sizes=[7, 3, 3, 3], layerwise_strides=[4, 2, 2, 2],
    )  # fmt: skip
    norms = [layer for layer in theirs.layers if isinstance(layer, keras.layers.LayerNormalization)]
    for stage in range(4):
        patch = theirs.get_layer(f"patch_and_embed_{stage}")
        own = f"stage{stage + 1}"
        pairs = [*rows(own, {"patch": patch.proj, "patch_norm": patch.norm, "norm": norms[stage]})]
        for place in range(2 if stage == 1 else 1):
            block = theirs.get_layer(f"hierarchical_encoder_{stage}_{place}")
            parts = {"norm1": block.norm1, "query": block.attn.q, "key": block.attn.k, "value": block.attn.v}
            parts |= {"project": block.attn.proj, "norm2": block.norm2, "expand": block.mlp.fc1}
            parts |= {"depthwise": block.mlp.dwconv, "shrink": block.mlp.fc2}
            if stage < 3:
                parts |= {"reduce": block.attn.sr, "reduce_norm": block.attn.norm}
            pairs += rows(f"{own}_block{place + 1}", parts)
        give(model, pairs)
    image = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    agree(model, theirs, "P5", image, within=0.02)  # its GELU is the one by tanh, and its epsilons are others


def test_swin_is_keras_hubs():
    """Windows of 4 fill each of these maps, so that what is done with the rest of a window makes no difference."""
    options = {"depths": (1, 2, 2, 1), "heads": (1, 2, 4, 8)}
    model = ours(functools.partial(swin.features, channels=8, window=4, **options), 128)
    theirs = keras_hub.models.SwinTransformerBackbone((128, 128, 3), 8, options["depths"], options["heads"], 4)
    pairs = [("patch", theirs.patch_embedding.proj), ("patch_norm", theirs.patch_embedding.norm), ("norm", theirs.norm)]
    for number, stage in enumerate(theirs.stages, start=1):
        for place, block in enumerate(stage.blocks, start=1):
            own = f"stage{number}_block{place}"
            pairs.append((f"{own}_query {own}_key {own}_value", block.attn.qkv))
            parts = {"norm1": block.norm1, "project": block.attn.proj, "norm2": block.norm2}
            pairs += rows(own, parts | {"expand": block.mlp.fc1, "shrink": block.mlp.fc2})
            block.attn.relative_position_bias_table.assign(model.get_layer(f"{own}_attention").bias)
        if stage.downsample is not None:
            merge = {"merge_norm": stage.downsample.norm, "reduction": stage.downsample.reduction}
            pairs += rows(f"stage{number + 1}", merge)
    give(model, pairs)
    image = np.random.default_rng(0).uniform(0, 255, (2, 128, 128, 3)).astype("float32")
    agree(model, lambda x: keras.ops.reshape(theirs(x), (2, 4, 4, 64)), "P5", image)


def test_vision_transformer_is_keras_hubs_without_its_class_token():
    model = ours(functools.partial(vision_transformer.features, channels=16, depth=4, heads=2), 224)
    theirs = keras_hub.models.ViTBackbone((224, 224, 3), 16, 4, 2, 16, 64, use_class_token=False)
    patch, encoder = theirs.get_layer("vit_patching_and_embedding"), theirs.get_layer("vit_encoder")
    pairs = [("patch", patch.patch_embedding), ("positions", patch.position_embedding), ("norm", encoder.layer_norm)]
    for number, block in enumerate(encoder.encoder_layers, start=1):
        own, attention = f"block{number}", block.mha
        parts = {"norm1": block.layer_norm_1, "query": attention._query_dense, "key": attention._key_dense}
        parts |= {"value": attention._value_dense, "project": attention._output_dense, "norm2": block.layer_norm_2}
        pairs += rows(own, parts | {"expand": block.mlp.dense_1, "shrink": block.mlp.dense_2})
    give(model, pairs)
    image = np.random.default_rng(0).uniform(0, 255, (2, 224, 224, 3)).astype("float32")
    gathered = model.get_layer("P5_gathered")
    agree(model, lambda x: gathered(keras.ops.reshape(theirs(x), (2, 14, 14, 16))), "P5", image)
