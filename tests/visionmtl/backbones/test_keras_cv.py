"""keras-cv stays in one file, what we rely on in it is pinned, and opening its layers changes no number."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import few

import visionmtl
from visionmtl import backbones

SIZE = (64, 96, 3)


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).uniform(0, 255, (2, *SIZE)).astype("float32")


@pytest.mark.slow
def test_keras_backbones_do_not_import_keras_cv():
    code = (
        "import sys; from visionmtl import backbones; backbones.build('mobilenet_v3_small', (32, 32, 3));"
        "print([name for name in ('keras_cv', 'tensorflow_datasets', 'torch') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_keras_cv_is_used_in_one_file():
    """It is frozen upstream: what replaces it will replace one file."""
    root = Path(visionmtl.__file__).parents[1]
    users = {
        file.relative_to(root).as_posix()
        for package in ("visionmtl", "pipelines")
        for file in (root / package).rglob("*.py")
        if re.search(r"\b(import|from) keras_cv\b|[\"']keras_cv[\"'.]", file.read_text(encoding="utf-8"))
    }
    assert users == {"visionmtl/backbones/from_keras_cv.py"}


def test_what_we_rely_on_in_keras_cv():
    import keras_cv

    lite = keras_cv.models.EfficientNetLiteBackbone(
        include_rescaling=False,
        width_coefficient=1.0,
        depth_coefficient=1.0,
        stackwise_kernel_sizes=[3, 5],
        stackwise_num_repeats=[1, 1],
        stackwise_input_filters=[32, 8],
        stackwise_output_filters=[8, 8],
        stackwise_expansion_ratios=[1, 6],
        stackwise_strides=[1, 2],
        drop_connect_rate=0.0,
        input_shape=(64, 64, 3),
    )
    assert lite.pyramid_level_inputs == {"P1": "block1a_project_bn", "P2": "top_activation"}
    assert lite.get_layer("stem_bn").epsilon == 1e-3
    block = [layer.name for layer in lite.layers if layer.name.startswith("block2a") and layer.weights]
    names = ("expand_conv", "expand_bn", "dwconv", "bn", "project_conv", "project_bn")
    assert block == [f"block2a_{name}" for name in names]
    darknet = keras_cv.models.CSPDarkNetBackbone(
        stackwise_channels=[8, 8], stackwise_depth=[1, 1], include_rescaling=False, input_shape=(64, 64, 3)
    )
    assert darknet.pyramid_level_inputs == {"P2": "dark2_csp", "P3": "dark3_csp"}
    assert type(darknet.get_layer("dark2_csp")).__name__ == "CrossStagePartial"
    assert [type(layer).__name__ for layer in darknet.get_layer("stem_conv").layers] == [
        "Conv2D",
        "BatchNormalization",
        "Lambda",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", few(["csp_darknet_tiny", "keras_cv_mobilenet_v3_small"], keep=["csp_darknet_tiny"]))
def test_opening_keras_cv_layers_changes_no_number(name, image, monkeypatch):
    def fill(model):  # by shape: the two list their weights in different orders
        for weight in model.weights:
            random = np.random.default_rng(list(weight.shape))
            scale = np.sqrt(2 / np.prod(weight.shape[:-1]))
            vector = len(weight.shape) == 1
            weight.assign(random.uniform(0.9, 1.1, weight.shape) if vector else random.normal(0, scale, weight.shape))

    opened = backbones.build(name, SIZE)
    monkeypatch.setattr(backbones.from_keras_cv, "_in_keras_layers", lambda image, features: features)
    closed = backbones.build(name, SIZE)
    fill(opened)
    fill(closed)
    assert opened.count_params() == closed.count_params()
    for level, features in closed(image, training=False).items():
        assert np.std(features) > 1e-3
        np.testing.assert_allclose(opened(image, training=False)[level], features, rtol=1e-4, atol=1e-4)
