"""Formats of other tools that no source reads: how each is told by a few files, and what to bring it to."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipelines.accounts.tree import Tree, below
from pipelines.sources.files import layout

BEGINNING = 1 << 16  # bytes that are read of a file
FILES, FOLDERS = 3, 12  # of one suffix, what is looked at: files of a folder, and folders
LOOKED_AT = re.compile(
    r"\.(json|jsonl|ndjson|manifest|xml|csv|txt|np[yz]|nii|dcm|parquet|arrow|tfrecords?|tfrec|(tf)?record-\d+-of-\d+)"
    r"(\.gz)?$|-ubyte(\.gz)?$|^(data|test)_batch(_\d)?$",
    re.I,
)
OWN_RECORDS = ("pack.json", "journal.jsonl", "dataset_info.json")  # beside records of a pack, or of TFDS


class Foreign(NamedTuple):
    """A format that is known and not read.

    Attributes:
        name: whose it is, as "CVAT for images 1.1".
        file: what the name of such a file is like, with its folders; a pattern of `re`, in any case of letters.
        signs: patterns of which all are found in the file's beginning. Together they are of no other format.
        way: what to do, as the end of a sentence.
    """

    name: str
    file: str
    signs: tuple[str, ...]
    way: str


def _keys(*names: str) -> tuple[str, ...]:
    """Return the signs that JSON has these keys; alternatives are parted by "|"."""
    return tuple(rf'"({name})"\s*:' for name in names)


A_LIST = r"\A\s*\["
SHAPES = "|".join(f"{shape}labels" for shape in ("rectangle", "polygon", "brush", "ellipse", "keypoint"))
STUDIO = ("annotations|completions|annotation_id", f"result|choice|{SHAPES}", "data|completed_by|lead_time|created_at")
VIA, WRITE = "export it from VIA as COCO", "write its boxes to COCO's JSON, or its classes to a CSV (file,label)"
EXPORT = "export it as COCO, YOLO or Pascal VOC from"
FRAMES = "write the boxes of all frames to one COCO JSON, with file_name as"
PNG = "write pictures and masks as PNG, of one name in images/ and masks/"
CLASSES = "write its pictures to files, in a folder per class in train/ and val/"
NO_CLASSES = (  # whose folders of pictures look like those of classes, and have boxes beside them
    Foreign(
        "MOTChallenge's tracking",
        r"(^|/)(gt/gt|det/det)\.txt$",
        (r"\A\d+,-?\d+(,-?[\d.]+){4,}\s*$",),
        f"{FRAMES} 'MOT17-02/img1/000001.jpg'",
    ),
    Foreign(
        "KITTI's tracking", r"(^|/)label_0\d/\d+\.txt$", (r"\A\d+ -?\d+ [A-Z]\w+ ",), f"{FRAMES} '0000/000000.png'"
    ),
    Foreign("UA-DETRAC", r"\.xml$", (r"<sequence\b", r"<target_list\b"), f"{FRAMES} 'MVI_20011/img00001.jpg'"),
    Foreign(
        "boxes of Open Images by OIDv4's toolkit",
        r"(^|/)label/[^/]+\.txt$",
        (r"\A[A-Za-z][^\d\n]*( \d+(\.\d+)?){4}\s*$",),
        "write its boxes to COCO's JSON; if its folders alone are to be learnt, as classes, set data.source=folder",
    ),
    Foreign(
        "a tracking of one object (LaSOT, GOT-10k, OTB)",
        r"(^|/)groundtruth(_rect)?\.txt$",
        (r"\A-?[\d.]+([,\t ]+-?[\d.]+){3,}\s*$",),
        f"{FRAMES} 'airplane-1/img/00000001.jpg'",
    ),
)
FORMATS = (
    *NO_CLASSES,
    Foreign("Supervisely's JSON", r"(^|/)ann/[^/]+\.json$", _keys("objects", "size"), f"{EXPORT} Supervisely"),
    Foreign("VIA's JSON (VGG Image Annotator)", r"\.json$", _keys("_via_img_metadata|shape_attributes"), VIA),
    Foreign("VIA's CSV (VGG Image Annotator)", r"\.csv$", (r"\bregion_shape_attributes\b",), VIA),
    Foreign("CreateML", r"\.json$", (A_LIST, *_keys("annotations?", "coordinates", "label")), f"{EXPORT} its tool"),
    Foreign("CVAT's own XML 1.1", r"\.xml$", (r"<annotations>\s*<version>1\.1</version>",), f"{EXPORT} CVAT"),
    Foreign("Datumaro", r"\.json$", (r'"categories"\s*:\s*\{', r'"items"\s*:\s*\['), f"{EXPORT} Datumaro"),
    Foreign(
        "Label Studio's JSON",
        r"\.json$",
        (A_LIST, *_keys(*STUDIO)),
        "export it from Label Studio as COCO or YOLO with images, or as CSV if whole pictures are classified",
    ),
    Foreign("a manifest of SageMaker Ground Truth", r"\.(manifest|jsonl)$", _keys("source-ref"), WRITE),
    Foreign(
        "BDD100K (Scalabel)",
        r"\.json$",
        _keys("box2d|poly2d", "category", "labels|frames"),
        "bring it to COCO by `python -m bdd100k.label.to_coco`",
    ),
    Foreign(
        "DOTA",
        r"(^|/)labeltxt[^/]*/[^/]+\.txt$",
        (r"^\s*(-?[\d.]+\s+){8}[A-Za-z][\w-]*\s+[012]\s*$",),
        "bring it to YOLO's oriented boxes, as Ultralytics' `convert_dota_to_yolo_obb` does",
    ),
    Foreign(
        "VisDrone",
        r"(^|/)annotations/[^/]+\.txt$",
        (r"\A(-?\d+,){7}-?\d+,?\s*$",),
        "bring it to YOLO, as the script in Ultralytics' VisDrone.yaml does",
    ),
    Foreign("KITTI", r"(^|/)label_2/\d+\.txt$", (r"\A[A-Z]\w+ -?[\d.]+ -?\d+( -?[\d.]+){12,13}\s*$",), WRITE),
    Foreign("WIDER FACE", r"_bbx_gt\.txt$", (r"\A\S+\.jpg\n\d+\n(\d+ ){9}",), WRITE),
    Foreign(
        "SA-1B (Segment Anything)",
        r"\.json$",
        _keys("image_id", "predicted_iou|stability_score"),
        "its masks have no classes, which every task here needs",
    ),
    Foreign(
        "Tiny ImageNet",
        r"(^|/)val_annotations\.txt$",
        (r"\A\S+\.JPE?G\tn\d{8}\t",),
        "move each picture up into train/n.../, or, as val_annotations.txt says, into val/n.../",
    ),
    Foreign(
        "DAVIS or YouTube-VOS",
        r"(^|/)ImageSets/20\d\d/\w+\.txt$|(^|/)(train|valid)/meta\.json$",
        (r"\A[\w-]+\s*$|\"videos\"\s*:\s*\{",),
        "move each video's frames to images/train/VIDEO/ and its masks to masks/train/VIDEO/",
    ),
    Foreign(
        "FiftyOne's own JSON",
        r"(^|/)(labels|samples)\.json$",
        (r'"classes"\s*:\s*\[[^\]]*\],\s*"labels"\s*:\s*\{|"_cls"\s*:',),
        "export it from FiftyOne as COCODetectionDataset or ImageClassificationDirectoryTree",
    ),
    Foreign(
        "Ultralytics' NDJSON",
        r"\.ndjson$",
        _keys("class_names", "task"),
        "bring it to YOLO by `convert_ndjson_to_yolo`",
    ),
    Foreign(
        "Open Images, as FiftyOne has it",
        r"(^|/)labels/(detections|classifications)\.csv$",
        (r"\AImageID,Source,LabelName",),
        "export it from FiftyOne as COCODetectionDataset or ImageClassificationDirectoryTree",
    ),
    Foreign("V7 Darwin's JSON", r"\.json$", _keys("slots|workview_url", "item|image"), "export it from V7 as COCO"),
    Foreign("Labelbox's JSON lines", r"\.(nd)?json$", _keys("data_row", "projects"), WRITE),
    Foreign(
        "metadata.jsonl of Hugging Face",
        r"(^|/)metadata\.jsonl$",
        _keys("file_name"),
        "write classes of pictures to metadata.csv (file_name,label), or boxes to COCO's JSON",
    ),
    Foreign(
        "boxes of Keras YOLO", r"_annotations\.txt$", (r"\A\S[^\n]*? \d+,\d+,\d+,\d+,\d+\b",), f"{EXPORT} its tool"
    ),
    Foreign(
        "a CSV of Google's AutoML (Vertex AI)",
        r"\.csv$",
        (r"^(TRAIN|TRAINING|VALIDATE|VALIDATION|TEST|UNASSIGNED),gs://",),
        WRITE,
    ),
    Foreign(
        "TFRecord without a pack.json",
        r"\.(tfrecords?|tfrec|(tf)?record-\d+-of-\d+)$",
        (),
        f"{EXPORT} its tool (of TFRecord, what `visionmtl data pack` wrote is read)",
    ),
    Foreign("pictures or masks as NumPy arrays", r"\.np[yz]$", (), PNG),
    Foreign("NIfTI, volumes of slices", r"\.nii(\.gz)?$", (), f"{PNG}, a file each slice"),
    Foreign("DICOM", r"\.dcm$", (), PNG),
    Foreign(
        "Parquet or Arrow, as of Hugging Face",
        r"\.(parquet|arrow)$",
        (),
        CLASSES,
    ),
    Foreign("MNIST's IDX", r"-ubyte(\.gz)?$", (), CLASSES),
    Foreign("CIFAR's batches for Python", r"(^|/)(data|test)_batch(_\d)?$", (), CLASSES),
)


def told(tree: Tree, formats: Sequence[Foreign] | None = None) -> str:
    """Say which format a folder that no source reads is of, and what to do; "" where no sure sign of one is there.

    Args:
        tree: the files.
        formats: those that are looked for; all unless given.

    Example:
        >>> told(Tree.of(Path("data/camvid")))
        ''
    """
    if any(name.rpartition("/")[2].lower() in OWN_RECORDS for name in tree.names):
        return ""
    for name in _looked_at(tree):
        named = [known for known in formats or FORMATS if re.search(known.file, name, re.IGNORECASE)]
        try:
            said = layout.beginning(tree.path(name), BEGINNING) if any(known.signs for known in named) else ""
        except OSError:
            continue
        for known in named:
            if all(re.search(sign, said, re.MULTILINE) for sign in known.signs):
                return f"looks like {known.name}, by '{name}', which is not read: {known.way}."
    return ""


def _looked_at(tree: Tree) -> Iterator[str]:
    """Yield the few files that are looked at."""
    folders = Counter[str]()
    for folder in sorted(tree.folders, key=lambda name: name.count("/")):  # what is said of all lies further up
        files = tree.folders[folder]
        seen = Counter[str]()
        for file in files:
            if not (found := LOOKED_AT.search(file)):
                continue
            suffix = (found[1] or file).lower()
            folders[suffix] += not seen[suffix]
            seen[suffix] += 1
            if seen[suffix] <= FILES and folders[suffix] <= FOLDERS:
                yield below(folder, file)
