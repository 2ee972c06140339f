"""What the features of each known TFDS data set mean; a data set of your own is a few lines more.

A feature is named by its path: `"objects.bbox"` is `bbox` of the sequence `objects`.
For a TFDS data set that is not here, add an adapter before loading:

    from pipelines.sources.tfds.adapters import ADAPTERS, Adapter
    from pipelines.sources.tfds.labels import Boxes, Category, Depth, Mask

    ADAPTERS["leaves"] = Adapter(
        {
            "species": Category("label"),
            "detection": Boxes("spots.bbox", label="spots.kind"),
            "segmentation": Mask("mask", ("soil", "leaf")),
        },
        splits={"train": "train[:90%]", "validation": "train[90%:]", "test": "test"},
    )
    data = pipelines.load("tfds", path="~/tensorflow_datasets", name="leaves")

or say the same in a recipe, where the classes above are called category, boxes, mask and depth:

    data:
      source: tfds
      options:
        name: leaves
        labels:
          species: {kind: category, feature: label}
          detection: {kind: boxes, box: spots.bbox, label: spots.kind}
          segmentation: {kind: mask, feature: mask, names: [soil, leaf]}
        slices: {train: "train[:90%]", validation: "train[90%:]", test: test}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.errors import DataError, one_of
from pipelines.kinds.spec import IGNORE
from pipelines.sources.cityscapes.labels import IDS, LAST, TRAIN
from pipelines.sources.tfds.labels import Boxes, Category, Depth, Label, Mask, Panoptic, Presence
from pipelines.sources.tfds.labels.panoptic import THINGS

OFFICIAL = {"train": "train", "validation": "validation", "test": "test"}
LABELLED = {"train": "train", "validation": "validation"}  # of a set that keeps the labels of its test split secret
HELD_OUT = {"train": "train[:90%]", "validation": "train[90%:]", "test": "test"}  # of one without validation
KINDS: dict[str, Any] = {"category": Category, "boxes": Boxes, "mask": Mask, "depth": Depth}


@dataclass(frozen=True)
class Adapter:
    """How examples of a TFDS data set become labelled images.

    Args:
        labels: by task, what is read.
        splits: by split, the slice of the data set that it is, in TFDS's notation.
        image: path of the picture.
        file_name: path of its name, for messages.
        manual: the files that TFDS cannot download by itself.
    """

    labels: Mapping[str, Label]
    splits: Mapping[str, str] = field(default_factory=lambda: OFFICIAL)
    image: str = "image"
    file_name: str | None = None
    manual: str = ""


def _with_presence(boxes: Boxes) -> dict[str, Label]:
    return {"classification": Presence(boxes), "detection": boxes}


# The trimap's border, of either side, is not learnt. Heads are boxed in most of train, and nowhere in test.
_PETS = Adapter(
    {
        "classification": Category("label"),
        "detection": Boxes("head_bbox", names=("head",)),
        "segmentation": Mask("segmentation_mask", ("background", "pet"), {1: 1, 2: 0, 3: IGNORE}),
    },
    HELD_OUT,
    file_name="file_name",
)

# A mask counts, in steps of 51, which of five people drew the bird there: 255 is the surest bird, not to be ignored.
_BIRDS = Adapter(
    {
        "classification": Category("label", text="label_name"),
        "detection": Boxes("bbox", names=("bird",)),
        "segmentation": Mask("segmentation_mask", ("background", "bird"), {v: int(v >= 128) for v in range(256)}),
    },
    HELD_OUT,
    file_name="image/filename",
)

_VOC = Boxes("objects.bbox", label="objects.label", ignore="objects.is_difficult")
_COCO = Boxes("objects.bbox", label="objects.label", ignore="objects.is_crowd")
_PANOPTIC = Boxes(
    "panoptic_objects.bbox", label="panoptic_objects.label", ignore="panoptic_objects.is_crowd", things=THINGS
)
_KITTI = Boxes("objects.bbox", label="objects.type", from_below=True)  # TFDS turns KITTI's boxes upside down

# Of the label ids in Cityscapes' PNGs, those of classes that are not evaluated are ignored.
_STREET = dict.fromkeys((*range(LAST + 1), IGNORE), IGNORE) | dict(zip(IDS, range(len(IDS)), strict=True))

ADAPTERS: dict[str, Adapter] = {
    "oxford_iiit_pet": _PETS,
    "caltech_birds2011": _BIRDS,
    "voc": Adapter(_with_presence(_VOC), file_name="image/filename"),
    "voc/2012": Adapter(_with_presence(_VOC), LABELLED, file_name="image/filename"),
    "coco/2014": Adapter(_with_presence(_COCO), LABELLED, file_name="image/filename"),
    "coco/2017": Adapter(_with_presence(_COCO), LABELLED, file_name="image/filename"),
    "coco/2017_panoptic": Adapter(
        {**_with_presence(_PANOPTIC), "segmentation": Panoptic("panoptic_image", "panoptic_objects")},
        LABELLED,
        file_name="image/filename",
    ),
    "cityscapes": Adapter(
        {"segmentation": Mask("segmentation_label", TRAIN, _STREET)},
        LABELLED,
        image="image_left",
        file_name="image_id",
        manual="leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip from www.cityscapes-dataset.com",
    ),
    "kitti": Adapter(_with_presence(_KITTI), file_name="image/file_name"),
    "wider_face": Adapter(
        {"detection": Boxes("faces.bbox", names=("face",), ignore="faces.invalid")},
        LABELLED,
        file_name="image/filename",
    ),
    "nyu_depth_v2": Adapter({"depth": Depth("depth")}, LABELLED),
}


def get(name: str) -> Adapter:
    """Return the adapter of a data set, whatever version and, if its configurations are alike, configuration it names.

    Raises:
        DataError: there is none; the message suggests the nearest.
    """
    plain = name.partition(":")[0]
    base = plain.partition("/")[0]
    if plain not in ADAPTERS and base in ADAPTERS:
        plain = base
    try:
        return ADAPTERS[one_of(plain, sorted(ADAPTERS), "TFDS data set")]
    except DataError as error:
        raise DataError(f"{error} For another, say what its features mean with the option 'labels'.") from None


def declared(labels: Mapping[str, Mapping], image: str = "image") -> Adapter:
    """Return the adapter that a recipe spells out: `{task: {"kind": ..., argument: value}}`.

    Raises:
        DataError: a kind or an argument is unknown, or one that is needed is missing.
    """
    made: dict[str, Label] = {}
    for task, given in labels.items():
        if not isinstance(given, Mapping) or "kind" not in given:
            raise DataError(f"labels.{task} is {given!r}: expected a mapping with a kind, of {', '.join(KINDS)}.")
        make = KINDS[one_of(given["kind"], KINDS, f"kind in labels.{task}:")]
        arguments = {key: tuple(v) if isinstance(v, list) else v for key, v in given.items() if key != "kind"}
        for argument in arguments:
            one_of(argument, make.__dataclass_fields__, f"argument in labels.{task}:")
        try:
            made[task] = make(**arguments)
        except TypeError as error:
            raise DataError(f"labels.{task} is incomplete: {str(error).partition('() ')[2]}.") from None
    return Adapter(made, OFFICIAL, image)
