"""Folders in formats of other tools, which no source reads: each is told by its name, and none that is read."""

import json

import coco_files
import folders
import pytest

import pipelines
from pipelines.accounts.tree import Tree
from pipelines.sources import foreign

BOX = {"x": 20, "y": 12, "width": 20, "height": 15}
STUDIO = {"result": [{"value": {**BOX, "rectanglelabels": ["cat"]}}]}
SHAPE = {"shape_attributes": {"name": "rect", **BOX}, "region_attributes": {}}
BDD = [{"name": "a.jpg", "labels": [{"category": "car", "box2d": {"x1": 1, "y1": 5, "x2": 30, "y2": 20}}]}]
DATUMARO = {"info": {}, "categories": {"label": {"labels": []}}, "items": [{"id": "a", "annotations": []}]}
DARWIN = {"version": "2.0", "item": {"name": "a.jpg", "slots": [{"width": 60}]}, "annotations": []}
TRUTH = {"source-ref": "s3://bucket/a.jpg", "labels": {"annotations": [{"class_id": 0, "left": 1}]}}
# A name, a file and what it holds, of each format; of some, in two dialects.
EXAMPLES = [
    ("MOTChallenge's tracking", "train/MOT17-02/gt/gt.txt", "1,1,912,484,97,109,0,7,1\n2,1,912.5,484,97,109,0,7,1\n"),
    ("KITTI's tracking", "training/label_02/0000.txt", "0 -1 DontCare -1 -1 -10.0 219.3 188.4\n"),
    ("UA-DETRAC", "xml/MVI_1.xml", '<?xml version="1.0"?>\n<sequence name="MVI_1"><frame><target_list></target_list>'),
    ("boxes of Open Images by OIDv4's toolkit", "train/Dog house/Label/a.txt", "Dog house 146.0 39.2 390.65 325.4\n"),
    ("a tracking of one object (LaSOT, GOT-10k, OTB)", "dog/dog-1/groundtruth.txt", "367,101,41,16\n366,103,45,14\n"),
    ("Supervisely's JSON", "ds/ann/a.jpg.json", {"tags": [], "size": {"height": 40, "width": 60}, "objects": []}),
    ("VIA's JSON (VGG Image Annotator)", "train/via_region_data.json", {"a.jpg1": {"regions": {"0": SHAPE}}}),
    ("VIA's JSON (VGG Image Annotator)", "project.json", {"_via_settings": {}, "_via_img_metadata": {}}),
    ("VIA's CSV (VGG Image Annotator)", "via.csv", "filename,region_count,region_shape_attributes\na.jpg,0,{}\n"),
    (
        "CreateML",
        "train/_annotations.createml.json",
        [{"image": "a.jpg", "annotations": [{"label": "cat", "coordinates": BOX}]}],
    ),
    ("CVAT's own XML 1.1", "annotations.xml", "<?xml version='1.0'?>\n<annotations>\n  <version>1.1</version>\n"),
    ("Datumaro", "annotations/default.json", DATUMARO),
    ("Label Studio's JSON", "project-1.json", [{"id": 1, "annotations": [STUDIO], "data": {"image": "a.jpg"}}]),
    ("Label Studio's JSON", "old.json", [{"completions": [STUDIO], "data": {"image": "a.jpg"}}]),
    ("a manifest of SageMaker Ground Truth", "output.manifest", TRUTH),
    ("BDD100K (Scalabel)", "labels/bdd100k_labels_images_train.json", BDD),
    ("DOTA", "train/labelTxt/a.txt", "imagesource:GoogleEarth\ngsd:0.1\n10 5 30.5 5 30 20 10 20 small-vehicle 0\n"),
    ("VisDrone", "VisDrone-train/annotations/a.txt", "10,5,20,15,1,4,0,0\n1,1,5,5,0,0,0,0,\n"),
    ("KITTI", "training/label_2/000001.txt", "Truck 0.00 0 -1.57 599 156 629 189 2.85 2.63 12.3 0.47 1.49 69.4 -1.5\n"),
    ("WIDER FACE", "wider_face_train_bbx_gt.txt", "0--Parade/a.jpg\n1\n449 330 122 149 0 0 0 0 0 0\n"),
    ("SA-1B (Segment Anything)", "sa_1.json", {"image": {"image_id": 1}, "annotations": [{"predicted_iou": 0.9}]}),
    ("Tiny ImageNet", "val/val_annotations.txt", "val_0.JPEG\tn03444034\t0\t32\t44\t62\n"),
    ("DAVIS or YouTube-VOS", "ImageSets/2017/train.txt", "bear\nbike-packing\n"),
    ("DAVIS or YouTube-VOS", "train/meta.json", {"videos": {"003234408d": {"objects": {}}}}),
    ("FiftyOne's own JSON", "labels.json", {"classes": ["cat", "dog"], "labels": {"a": 0}}),
    ("FiftyOne's own JSON", "samples.json", {"samples": [{"filepath": "data/a.jpg", "truth": {"_cls": "Detections"}}]}),
    ("Ultralytics' NDJSON", "pets.ndjson", {"type": "dataset", "task": "detect", "class_names": {"0": "cat"}}),
    ("Open Images, as FiftyOne has it", "train/labels/detections.csv", "ImageID,Source,LabelName,Confidence\n"),
    ("V7 Darwin's JSON", "releases/latest/annotations/a.json", DARWIN),
    ("Labelbox's JSON lines", "export.ndjson", {"data_row": {"external_id": "a.jpg"}, "projects": {}}),
    ("metadata.jsonl of Hugging Face", "train/metadata.jsonl", {"file_name": "a.jpg", "objects": {"bbox": []}}),
    ("boxes of Keras YOLO", "train/_annotations.txt", "a b.jpg 10,5,30,20,0 1,1,5,5,1\n"),
    ("a CSV of Google's AutoML (Vertex AI)", "ds.csv", "TRAIN,gs://bucket/a.jpg,cat,0.15,0.1,,,0.47,0.42,,\n"),
    ("TFRecord without a pack.json", "train/cells.tfrecord", "\x0a\x0b"),
    ("TFRecord without a pack.json", "coco_train.record-00000-of-00100", "\x0a\x0b"),
    ("pictures or masks as NumPy arrays", "masks/a.npy", "\x93NUMPY"),
    ("NIfTI, volumes of slices", "labelsTr/a.nii.gz", "\x1f"),
    ("DICOM", "train/a.dcm", "DICM"),
    ("Parquet or Arrow, as of Hugging Face", "data/train-00000-of-00001.parquet", "PAR1"),
    ("MNIST's IDX", "train-images-idx3-ubyte.gz", "\x1f"),
    ("CIFAR's batches for Python", "cifar-10-batches-py/data_batch_1", "\x80"),
]


def put(root, name, held):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(held if isinstance(held, str) else json.dumps(held))


@pytest.mark.parametrize(("format_", "name", "held"), EXAMPLES, ids=[name for _, name, _ in EXAMPLES])
def test_a_format_that_nothing_reads_is_told_by_its_name_in_one_sentence(tmp_path, format_, name, held):
    put(tmp_path, name, held)
    folders.picture(tmp_path / "images" / "a.jpg")
    with pytest.raises(pipelines.DataError) as told:
        pipelines.recognise(tmp_path)
    start = f"'{tmp_path}' looks like {format_}, by '{name}', which is not read: "
    assert str(told.value).startswith(start)
    assert len(str(told.value)) < len(start) + 120


@pytest.mark.parametrize(("name", "held"), [(name, held) for _, name, held in EXAMPLES[:5]])
def test_folders_of_frames_or_with_boxes_are_no_classes(tmp_path, name, held):
    put(tmp_path, name, held)
    for folder in ("first", "second"):
        folders.picture(tmp_path / "train" / folder / "img1" / "a.jpg")
    with pytest.raises(pipelines.DataError, match="which is not read: write .* boxes .*COCO"):
        pipelines.recognise(tmp_path)


def test_each_format_has_an_example():
    assert [known.name for known in foreign.FORMATS] == list(dict.fromkeys(name for name, _, _ in EXAMPLES))


@pytest.mark.parametrize("source", sorted(folders.WRITERS.keys() - {"garments", "tfds"}))
def test_what_a_source_reads_is_never_taken_for_a_format_of_others(tmp_path, source):
    folders.WRITERS[source](tmp_path / "data")
    assert pipelines.recognise(tmp_path / "data") == source
    assert foreign.told(Tree.of(tmp_path / "data")) == ""


@pytest.mark.parametrize("write", [*coco_files.SPLIT, coco_files.label_studio, coco_files.labelme2coco])
def test_coco_of_a_tool_is_never_taken_for_the_own_format_of_that_tool(tmp_path, write):
    write(tmp_path)
    assert pipelines.recognise(tmp_path) == "coco"
    assert foreign.told(Tree.of(tmp_path)) == ""


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("meta.json", {"classes": [{"title": "cat"}], "tags": []}),
        ("rows.json", [{"label": "cat", "data": 1, "annotations": []}]),
        ("settings.json", {"items": [], "categories": []}),
        ("annotations/a.txt", "0 0.5 0.5 0.2 0.2\n"),
        ("labelTxt/a.txt", "1 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8\n"),
        ("page.xml", "<annotations><version>2</version></annotations>"),
        ("dataset_info.json", {"name": "pets"}),
    ],
)
def test_what_has_no_sure_sign_is_told_as_before(tmp_path, name, held):
    put(tmp_path, name, held)
    if name == "dataset_info.json":  # records of TFDS
        put(tmp_path, "pets-train.tfrecord-00000-of-00001", "\x0a")
    with pytest.raises(pipelines.DataError, match="is like no data set that is known: it has"):
        pipelines.recognise(tmp_path)


def test_a_file_alone_is_told_too_and_few_files_are_read(tmp_path, monkeypatch):
    put(tmp_path, "annotations.xml", "<annotations><version>1.1</version>")
    with pytest.raises(pipelines.DataError, match="looks like CVAT's own XML 1.1, by 'annotations.xml'"):
        pipelines.recognise(tmp_path / "annotations.xml")
    for number in range(400):
        put(tmp_path, f"many/{number % 40}/{number}.json", {})
    read = []
    monkeypatch.setattr(foreign.layout, "beginning", lambda path, size: read.append(path) or "")
    assert foreign.told(Tree.of(tmp_path)) == ""
    assert len(read) == 1 + foreign.FILES * foreign.FOLDERS
