"""Folders of YOLO as tools write them, each file with its text; a picture has None. BOX and OTHER are of 60 x 40."""

import json

import pipelines
from pipelines.accounts.account import Balance

BOX = "0 0.3333333 0.375 0.3333333 0.5"  # 10, 5, 30, 25 of 60 x 40
OTHER = "1 0.75 0.5 0.5 0.5"  # 30, 10, 60, 30
CVAT_DATA = "classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = data/obj.names\nbackup = backup/\n"
DATA = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['cat', 'dog']\n\n"
ROBOFLOW = f"{DATA}roboflow:\n  workspace: zoo\n  version: 3\n"
ULTRALYTICS = "path: ../datasets/pets\ntrain: images/train\nval: images/val\ntest:\n\nnames:\n  0: cat\n  1: dog\n"
ELSEWHERE = (
    "train: /content/drive/MyDrive/pets/images/train\nval: 'C:\\me\\pets\\images\\val'\nnames: {'0': cat, '1': dog}"
)
CVAT = "names:\n  0: cat\n  1: dog\npath: .\ntrain: train.txt\nval: val.txt\n"
NOTES = json.dumps({"categories": [{"id": 1, "name": "dog"}, {"id": 0, "name": "cat"}], "info": {"version": "1.0"}})
CATS = "cat\ndog\n"

# Every one has a.jpg to train on and b.jpg to validate.
LAYOUTS = {
    "ultralytics": {
        "data.yaml": ULTRALYTICS,
        "images/train/a.jpg": None,
        "labels/train/a.txt": BOX,
        "images/val/b.jpg": None,
        "labels/val/b.txt": OTHER,
        "labels/train.cache": "binary",
        "labels.jpg": None,
        "runs/detect/predict/labels/a.txt": f"{BOX} 0.9",
        "runs/detect/train/val_batch0_pred.jpg": None,
    },
    "ultralytics of another machine": {
        "pets.yaml": ELSEWHERE,
        "images/train/a.jpg": None,
        "labels/train/a.txt": BOX,
        "images/val/b.jpg": None,
        "labels/val/b.txt": OTHER,
    },
    "coco128": {
        "data.yaml": "train: images/train2017\nval: images/val2017\nnames: [cat, dog]\ndownload: https://x.org/a.zip\n",
        "images/train2017/a.jpg": None,
        "labels/train2017/a.txt": BOX,
        "images/val2017/b.jpg": None,
        "labels/val2017/b.txt": OTHER,
    },
    "years without keys": {
        "data.yaml": "names: [cat, dog]\n",
        "images/train2017/a.jpg": None,
        "labels/train2017/a.txt": BOX,
        "images/val2017/b.jpg": None,
        "labels/val2017/b.txt": OTHER,
    },
    "lists of folders": {
        "data.yaml": "train: [images/one, images/two]\nval:\n- images/val\nnames: [cat, dog]\n",
        "images/one/a.JPG": None,
        "labels/one/a.TXT": BOX,
        "images/two/c.jpg": None,
        "images/val/b.jpg": None,
        "labels/val/b.txt": OTHER,
    },
    "a yaml above": {
        "pets.yaml": "path: pets\ntrain: images/train\nval: images/val\nnames: [cat, dog]\n",
        "pets/images/train/a.jpg": None,
        "pets/labels/train/a.txt": BOX,
        "pets/images/val/b.jpg": None,
        "pets/labels/val/b.txt": OTHER,
    },
    "an archive in its folder": {
        "pets-3/data.yaml": ROBOFLOW,
        "pets-3/train/images/a.jpg": None,
        "pets-3/train/labels/a.txt": BOX,
        "pets-3/valid/images/b.jpg": None,
        "pets-3/valid/labels/b.txt": OTHER,
    },
    "roboflow": {
        "data.yaml": ROBOFLOW,
        "README.roboflow.txt": "pets - v3\n",
        "README.dataset.txt": "# pets\n",
        "train/images/a.jpg": None,
        "train/labels/a.txt": BOX,
        "valid/images/b.jpg": None,
        "valid/labels/b.txt": OTHER,
    },
    "roboflow darknet": {
        "README.roboflow.txt": "pets - v3\n",
        "train/_darknet.labels": CATS,
        "train/a.jpg": None,
        "train/a.txt": BOX,
        "valid/_darknet.labels": CATS,
        "valid/b.jpg": None,
        "valid/b.txt": OTHER,
    },
    "cvat": {
        "obj.data": CVAT_DATA,
        "obj.names": CATS,
        "train.txt": "data/obj_train_data/a.jpg\n",
        "valid.txt": "data/obj_valid_data/b.jpg\n",
        "obj_train_data/a.jpg": None,
        "obj_train_data/a.txt": BOX,
        "obj_valid_data/b.jpg": None,
        "obj_valid_data/b.txt": OTHER,
    },
    "cvat of today": {
        "obj.data": CVAT_DATA.replace("data/", ""),
        "obj.names": CATS,
        "train.txt": "obj_Train_data/a.jpg\n",
        "valid.txt": "obj_valid_data/b.jpg\n",
        "obj_Train_data/a.jpg": None,
        "obj_Train_data/a.txt": BOX,
        "obj_valid_data/b.jpg": None,
        "obj_valid_data/b.txt": OTHER,
    },
    "cvat without lists": {
        "obj.names": CATS,
        "obj_train_data/a.jpg": None,
        "obj_train_data/a.txt": BOX,
        "obj_Validation_data/b.jpg": None,
        "obj_Validation_data/b.txt": OTHER,
    },
    "cvat ultralytics": {
        "data.yaml": CVAT,
        "train.txt": "images/train/a.jpg\n",
        "val.txt": "./images/val/b.jpg\n",
        "images/train/a.jpg": None,
        "labels/train/a.txt": f"{BOX} 7",
        "images/val/b.jpg": None,
        "labels/val/b.txt": OTHER,
    },
    "label studio, in splits": {
        "classes.txt": CATS,
        "notes.json": NOTES,
        "images/train/1a2b3c4d-a.jpg": None,
        "labels/train/1a2b3c4d-a.txt": BOX,
        "images/val/b.jpg": None,
        "labels/val/5e6f7a8b-b.txt": OTHER,
    },
    "fiftyone": {
        "dataset.yaml": "names:\n- cat\n- dog\npath: /home/me/pets\ntrain: ./images/train/\nval: ./images/val/\n",
        "images/train/a.jpg": None,
        "labels/train/a.txt": BOX,
        "images/val/b.jpg": None,
        "labels/val/b.txt": OTHER,
    },
}
UNSPLIT = {
    "label studio": {
        "classes.txt": CATS,
        "notes.json": NOTES,
        "images/1a2b3c4d-a.jpg": None,
        "labels/1a2b3c4d-a.txt": BOX,
    },
    "labelImg": {"images/a.jpg": None, "labels/a.txt": BOX, "labels/classes.txt": CATS},
    "makesense": {"images/a.jpg": None, "labels/a.txt": BOX, "labels/labels.txt": CATS, "obj.names": CATS},
    "darknet": {"obj.names": CATS, "a.jpg": None, "a.txt": BOX, "b.JPG": None},
    "darknet in a folder": {"classes.txt": CATS, "set/a.jpg": None, "set/a.txt": BOX},
    "fiftyone v4": {"obj.names": CATS, "images.txt": "data/a.jpg\n", "data/a.jpg": None, "data/a.txt": BOX},
    "flat with a yaml": {"data.yaml": "names: [cat, dog]", "a.jpg": None, "a.txt": BOX},
}
CLUTTER = {
    "README.md": "# pets",
    "docs/plan.html": "<p>",
    "__MACOSX/._a.jpg": "x",
    ".DS_Store": "x",
    "Thumbs.db": "x",
    "images/._a.txt": "x",
    "labels/._a.txt": "x",
    "our/recipe.yaml": "data:",
    "our/history.csv": "epoch",
    "our/samples/a.png": None,
}


def balance_of(folder, **options) -> Balance:
    (account,) = pipelines.survey(pipelines.recognise(folder), folder, **options).source.accounts
    balance = account.balance()
    assert balance.files == sum(path.is_file() for path in folder.rglob("*"))
    return balance


def boxes(batches):
    """The classes and boxes of each picture, at 60 x 40."""
    found = []
    for _, labels, _ in batches:
        for ids, rows in zip(*(labels["detection"][key].numpy() for key in ("classes", "boxes")), strict=True):
            found.append([(int(i), *row.round(2).tolist()) for i, row in zip(ids, rows, strict=True) if i >= 0])
    return found
