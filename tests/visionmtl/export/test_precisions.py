"""Precisions: which formats have them, what they cost, and what an export that loses too much leaves behind."""

import json

import numpy as np
import pytest
import toys

from visionmtl import export
from visionmtl.errors import UsageError
from visionmtl.export import change, precisions
from visionmtl.export.telling import told

SAVED, LITE = export.FORMATS["savedmodel"], export.FORMATS["litert"]


def test_each_format_is_written_in_the_precisions_that_it_has_and_else_in_float32_which_is_printed(capsys):
    made = precisions.made({"savedmodel": SAVED, "litert": LITE}, "float16, int8")
    assert {label: each.file for label, each in made.items()} == {
        "savedmodel": "saved_model.pb",
        "litert float16": "model.float16.tflite",
        "litert int8": "model.int8.tflite",
    }
    assert capsys.readouterr().out == "savedmodel has no float16 and no int8: it is written in float32.\n"
    assert list(precisions.made({"savedmodel": SAVED, "litert": LITE}, ["float32", "int8"])) == [
        "savedmodel",
        "litert",
        "litert int8",
    ]
    assert capsys.readouterr().out == ""


def test_a_precision_that_no_format_has_is_refused_and_so_is_one_that_is_not_known():
    with pytest.raises(
        UsageError, match="Precision int8 .* no format that is asked for has it: savedmodel has float32"
    ):
        precisions.made({"savedmodel": SAVED}, "int8")
    with pytest.raises(UsageError, match="Did you mean 'int8'"):
        precisions.wanted("int4")
    with pytest.raises(UsageError, match="'int8' was named twice"):
        precisions.wanted("int8,int8")
    with pytest.raises(UsageError, match="name one or several of float32"):
        precisions.wanted([])


def test_int8_without_pictures_to_calibrate_it_on_is_refused(toy_model, tmp_path):
    with pytest.raises(UsageError, match="calibrated on pictures, and none are given"):
        export.save(toy_model(toys.tasks("scene")), tmp_path, format="litert", precision="int8")


def answering(model, wrong=False):
    """What answers as an exported model does, one picture at a time; all alike if `wrong`."""

    def answers(pictures):
        for picture in pictures:
            picture = np.zeros_like(picture) if wrong else picture
            found = model.decode(model(picture[None].astype("float32"), training=False))
            yield {name: value.numpy() for name, value in found.items()}

    return answers


@pytest.mark.slow
def test_the_metrics_of_an_export_that_says_the_same_are_the_same(toy_model, monkeypatch):
    monkeypatch.setattr(change, "AT_ONCE", 3)
    model = toy_model()
    batches = [toys.batch(seed=seed, images=images) for seed, images in ((0, 2), (1, 2), (2, 1))]
    before, after = change.by_model(model, batches), change.by_export(model, batches, answering(model))
    assert before == pytest.approx(after, nan_ok=True)
    assert before.keys() == model.tasks.keys()


@pytest.mark.parametrize(
    ("before", "after", "within"),
    [
        (0.5, 0.5, True),
        (0.5, 0.49, True),
        (0.5, 0.48, False),
        (0.5, 0.9, True),
        (np.nan, 0.1, True),
        (0.5, np.nan, False),
    ],
)
def test_a_metric_may_fall_by_the_bound_and_no_more(before, after, within):
    assert change.Change("scene", "accuracy", before, after).within(0.01) == within


class Wrong(LITE):
    """A format of which int8 says nothing right."""

    runner = LITE.runner + "\nright = answer\nanswer = lambda images, least=None: right(images * 0, least)\n"

    def write(self, model, folder, serving):
        kept = LITE()
        kept.write(model, folder, serving)
        (folder / kept.file).rename(folder / self.file)


@pytest.mark.slow
def test_an_export_that_loses_too_much_is_refused_by_task_and_metric_and_leaves_no_version(
    toy_model, tmp_path, monkeypatch
):
    model = toy_model(toys.tasks("scene"))
    images, _, weights = toys.batch(toys.tasks("scene"), images=6)
    labels = {"scene": np.argmax(model(images)["scene_logits"], axis=-1).astype("int32")}
    assert len(set(labels["scene"].tolist())) > 1
    given = {"format": "litert", "precision": "float16", "validation": [(images, labels, weights)]}
    monkeypatch.setitem(export.FORMATS, "litert", Wrong)
    with pytest.raises(UsageError, match=r"litert float16 loses more than 0.01.*scene's accuracy is 0.* of 1.000"):
        export.save(model, tmp_path / "toy", **given)
    assert list((tmp_path / "toy").iterdir()) == []
    version = export.save(model, tmp_path / "toy", metric_change=1, about={"seed": 3}, **given)
    record = json.loads((version / "export.json").read_text())
    assert record["seed"] == 3
    found = record["changes"]["litert float16"]
    assert (found["bound"], found["pictures"]) == (1, 6)
    assert found["tasks"][0]["model"] == 1
    assert told(version)[0].startswith("litert float16: scene accuracy 1.000 to 0.")


@pytest.mark.slow
def test_all_precisions_of_litert_lie_beside_each_other_and_say_about_the_same(toy_model, tmp_path):
    model = toy_model(toys.tasks("scene", "objects", "ground"))
    batch = toys.batch(images=8)
    pictures = [picture.astype("uint8") for picture in batch[0]]
    version = export.save(
        model,
        tmp_path,
        format="savedmodel,litert",
        precision=LITE.precisions,
        calibration=pictures,
        validation=[batch],
        metric_change=0.5,
        pictures=pictures[:2],
    )
    record = json.loads((version / "export.json").read_text())
    assert {path.name for path in version.glob("*.tflite")} == {*LITE.files}
    assert record["changes"].keys() == {"litert float16", "litert dynamic", "litert int8"}
    largest = {name: max(each["value"] for each in record["formats"][name][:1]) for name in record["formats"]}
    assert 0 < largest["litert float16"] < 0.01
    assert 0 < largest["litert int8"] < 0.2
