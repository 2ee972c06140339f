"""Several label files of the same pictures: joined by name, with the labels of all and weight 0 where one has none."""

import json
import warnings

import numpy as np
import pytest
from PIL import Image

import pipelines

WEATHER = "image,weather\na.jpg,sunny\nb.jpg,wet\nc.jpg,sunny\n"


@pytest.fixture
def street(tmp_path):
    """Pictures a to d; boxes (COCO) of a, b and d, masks of a and c, a table of the weather of a, b and c."""

    def write(split=None):
        root = tmp_path / "data"
        (root / "images").mkdir(parents=True)
        (root / "masks").mkdir()
        for value, stem in enumerate("abcd"):
            Image.fromarray(np.full((40, 60, 3), 50 * value, np.uint8)).save(root / f"images/{stem}.jpg")
        mask = np.zeros((40, 60), np.uint8)
        mask[5:25, 10:30] = 1
        for stem in "ac":
            Image.fromarray(mask).save(root / f"masks/{stem}.png")
        (root / "mask_classes.json").write_text('{"classes": ["ground", "road"]}')
        images = [{"id": k, "file_name": f"{stem}.jpg", "width": 60, "height": 40} for k, stem in enumerate("abd")]
        boxes = [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [10, 5, 20, 20]}]
        boxes.append({"id": 2, "image_id": 2, "category_id": 1, "bbox": [1, 1, 9, 9]})
        content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "car"}]}
        (tmp_path / "boxes").mkdir()
        (tmp_path / "boxes/annotations.json").write_text(json.dumps(content))
        (tmp_path / "boxes/images").symlink_to(root / "images")
        (root / "weather.csv").write_text(WEATHER)
        return {
            "boxes": {"source": "coco", "path": tmp_path / "boxes", "tasks": ["detection"]},
            "masks": {"source": "folder", "path": root, "tasks": ["segmentation"]},
            "weather": {
                "source": "csv",
                "path": root / "weather.csv",
                "tasks": {"classification": "weather"},
                "options": {"label": "weather"},
            },
        }

    return write


def load(sources, splits=("train",), **options):
    return pipelines.load(sources, (40, 60), 4, splits=splits, joined=True, shuffle=False, **{"cache": True, **options})


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("cache", [True, False])
def test_a_batch_has_the_labels_of_all_and_weight_0_where_a_source_has_none(street, cache):
    data = load(street(), cache=cache)
    assert [(spec.name, spec.classes) for spec in data.specs] == [
        ("detection", ("car",)),
        ("segmentation", ("ground", "road")),
        ("weather", ("sunny", "wet")),
    ]
    (images, labels, weights), *more = data.train
    assert not more
    order = [round(float(value) / 50) for value in images.numpy()[:, 0, 0, 0]]
    assert order == [0, 1, 3, 2]  # those of the first source, then what the others add
    assert weights["detection"].numpy().tolist() == [1, 1, 1, 0]
    assert weights["segmentation"].numpy().tolist() == [1, 0, 0, 1]
    assert weights["weather"].numpy().tolist() == [1, 1, 0, 1]
    assert labels["weather"].numpy().tolist() == [0, 1, 0, 0]
    assert labels["detection"]["boxes"].numpy()[:, 0].tolist() == [[10, 5, 30, 25], [0] * 4, [1, 1, 10, 10], [0] * 4]
    assert labels["detection"]["classes"].numpy()[:, 0].tolist() == [0, -1, 0, -1]
    masks = labels["segmentation"].numpy()
    assert [(mask == 1).sum() for mask in masks] == [400, 0, 0, 400]
    assert [(mask == 255).sum() for mask in masks] == [0, 2400, 2400, 0]
    assert data.sizes == {"train": 4}


def test_pictures_without_a_partner_are_counted_and_files_are_used_once_in_every_account(street):
    sources = street()
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        data = load({name: sources[name] for name in ("boxes", "weather")})
    told = " ".join(str(note.message) for note in notes)
    assert "1 of the 3 pictures of 'boxes' are labelled by no other source, the first '" in told
    assert "1 of the 3 pictures of 'weather' are labelled by no other source" in told
    assert [account.balance().annotations_used for account in data.accounts] == [2, 3]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_splits_are_those_of_the_source_that_has_some(street):
    sources = street()
    table = sources["weather"]["path"]
    table.write_text("image,weather,split\na.jpg,sunny,val\nb.jpg,wet,train\nc.jpg,sunny,train\nd.jpg,sunny,train\n")
    data = pipelines.load(sources, (40, 60), 1, joined=True, splits=("train", "validation"))
    assert data.sizes == {"train": 3, "validation": 1}
    ((_, labels, weights),) = data.validation
    assert weights["segmentation"].numpy().tolist() == weights["detection"].numpy().tolist() == [1]
    assert labels["detection"]["boxes"].numpy()[0, 0].tolist() == [10, 5, 30, 25]
    table.write_text("image,weather,split\na.jpg,sunny,val\nb.jpg,wet,train\nc.jpg,sunny,train\n")
    with pytest.raises(pipelines.DataError, match="d.jpg' of 'boxes' is in no split: of the sources that are joined"):
        load(sources)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_accounts_say_to_which_split_pictures_of_sources_without_splits_fell(street, tmp_path):
    sources = street()
    for number in range(30):
        Image.new("RGB", (60, 40)).save(tmp_path / f"data/images/{number}.jpg")
    with (tmp_path / "data/weather.csv").open("a") as table:
        table.writelines(f"{number}.jpg,wet\n" for number in range(30))
    some = {name: sources[name] for name in ("masks", "weather")}
    data = load(some, ("train", "validation", "test"))
    used = data.accounts[0].balance().used
    images = {split: used[f"image of {split}"] + used[f"image of {split}, not labelled"] for split in data.sizes}
    assert images == data.sizes
    assert used["mask"] == 2


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_one_task_of_two_sources_is_refused_with_the_remedy(street):
    sources = street()
    sources["weather"].pop("tasks")
    sources["boxes"].pop("tasks")
    with pytest.raises(
        pipelines.DataError, match=r"'classification' is labelled by 'boxes' and 'weather'.*as tasks: {"
    ):
        load(sources)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_sources_that_have_nothing_in_common_or_other_sizes_are_told(street, tmp_path):
    sources = street()
    other = tmp_path / "other"
    (other / "images").mkdir(parents=True)
    Image.new("RGB", (30, 20)).save(other / "images/z.jpg")
    (other / "weather.csv").write_text("image,weather\nz.jpg,sunny\n")
    sources["weather"]["path"] = other / "weather.csv"
    with pytest.raises(pipelines.DataError, match="Source 'weather' has no picture in common with those it is joined"):
        load(sources)
    Image.new("RGB", (30, 20)).save(other / "images/a.jpg")
    (other / "weather.csv").write_text("image,weather\na.jpg,sunny\n")
    with pytest.raises(pipelines.DataError, match="a.jpg' is 60 x 40 in 'boxes', but 30 x 20 in 'weather'"):
        load(sources)
    data = pipelines.load(sources, (40, 60), 1, joined=True, splits=["train"], on_error="skip")
    assert data.sizes == {"train": 3}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_sources_too_small_to_be_divided_and_a_split_without_a_picture_are_told(street, tmp_path):
    sources = street()
    with pytest.raises(pipelines.DataError, match="too small to be divided: of their 4 images none falls to '"):
        load(sources, ("train", "validation", "test"))
    listed = (tmp_path / "boxes/annotations.json").read_text()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/annotations.json").write_text(listed.replace('"width": 60', '"width": 30'))
    (tmp_path / "other/images").mkdir()
    for stem in "abd":
        Image.new("RGB", (30, 40)).save(tmp_path / f"other/images/{stem}.jpg")
    boxes = {"source": "coco", "path": tmp_path / "other", "tasks": {"detection": "more"}}
    with pytest.raises(pipelines.DataError, match="Split 'train' is empty: none of its 3 images has one size"):
        load({"boxes": sources["boxes"], "more": boxes}, on_error="skip")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_pictures_of_one_name_are_told_apart_by_their_folders_or_refused(tmp_path):
    for place in ("one/images/x", "one/images/y", "two/images/x", "two/images/y", "three/images"):
        (tmp_path / place).mkdir(parents=True)
        Image.new("RGB", (60, 40)).save(tmp_path / place / "a.jpg")
    (tmp_path / "one/t.csv").write_text("image,label\nx/a.jpg,cat\ny/a.jpg,dog\n")
    (tmp_path / "two/t.csv").write_text("image,label\ny/a.jpg,wet\nx/a.jpg,dry\n")
    (tmp_path / "three/t.csv").write_text("image,label\na.jpg,wet\n")
    sources = {
        "animal": {"source": "csv", "path": tmp_path / "one/t.csv"},
        "weather": {"source": "csv", "path": tmp_path / "two/t.csv", "tasks": {"classification": "weather"}},
    }
    data = pipelines.load(sources, (40, 60), 2, joined=True, splits=["train"], shuffle=False)
    ((_, labels, _),) = data.train
    assert labels["classification"].numpy().tolist() == [0, 1]
    assert labels["weather"].numpy().tolist() == [0, 1]  # dry of x, wet of y
    sources["weather"]["path"] = tmp_path / "three/t.csv"
    with pytest.raises(
        pipelines.DataError, match="a.jpg' of source 'weather' may be '.*' or another: several pictures"
    ):
        pipelines.load(sources, (40, 60), 2, joined=True, splits=["train"])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_wrong_in_a_source_without_splits_is_told_once(street):
    sources = street()
    with sources["weather"]["path"].open("a") as table:
        table.write("z.jpg,wet\n")
    data = load(sources, on_error="skip")
    assert len(data.skipped) == 1
    assert [account.balance().annotations_lost.total() for account in data.accounts] == [0, 0, 1]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_picture_of_a_split_not_asked_for_is_set_aside_in_every_source(tmp_path):
    for name in ("one", "two"):
        for stem in "ab":
            (tmp_path / name / "images").mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (60, 40)).save(tmp_path / name / f"images/{stem}.jpg")
    (tmp_path / "one/t.csv").write_text("image,label,split\na.jpg,cat,train\nb.jpg,cat,val\n")
    (tmp_path / "two/t.csv").write_text("image,label\na.jpg,wet\nb.jpg,dry\n")
    sources = {
        "animal": {"source": "csv", "path": tmp_path / "one"},
        "weather": {"source": "csv", "path": tmp_path / "two", "tasks": {"classification": "weather"}},
    }
    data = pipelines.load(sources, (40, 60), 1, joined=True, splits=["train"])
    aside = {"of split validation, not asked for": ["images/b.jpg"]}
    assert [account.balance().aside for account in data.accounts] == [aside, aside]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_source_that_has_the_test_split_alone_is_joined(street):
    sources = street()
    sources["weather"]["path"].write_text("image,weather,split\n" + "".join(f"{s}.jpg,wet,test\n" for s in "abcd"))
    assert load(sources, ["test"]).sizes == {"test": 4}
