"""What predictions gain by how a model is decoded: one trained run measured in several ways.

    PYTHONPATH=. python benchmarks/decoding.py RUN [data.<key>=value ...] [--split validation] [--every N]

Boxes as they are, those whose scores ask the mask (`mask` of `visionmtl.Detection`), those that are voted on (`vote`),
and both, the last also at other IoUs from which on a better box suppresses one (`iou_threshold`); masks as they are,
and with rare classes of the training pixels favoured by a power (`favour` of `visionmtl.Segmentation`). The model is
the same, bit for bit. Nothing is written into the run.
"""

import argparse
import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

FIGURES = {"detection": ("AP", "AP50", "AP75"), "segmentation": ("mIoU", "pixel_accuracy")}
POWERS = (0.2, 0.4, 0.6)
IOUS = (0.35, 0.4, 0.5, 0.6)


def ways(model: Any, amounts: Any) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Return, by task, what its predictions are made with: a name, and the attributes of the task."""
    from visionmtl.tasks import rarity
    from visionmtl.tasks.boxes import OVERLAP

    masks = [task for task in model.tasks.values() if task.kind == "segmentation"]
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for name, task in model.tasks.items():
        if task.kind == "detection":
            shared = [each.name for each in masks if set(each.classes) & set(task.classes)][:1]
            asking = [(None, "plain"), *((each, "mask") for each in shared)]
            found[name] = [
                (f"{said}, voted" if vote else said, {"mask": mask, "vote": vote, "iou_threshold": OVERLAP})
                for vote in (False, *([True] if not task.end_to_end else []))
                for mask, said in asking
            ]
            if not task.end_to_end:
                last, attributes = found[name][-1]
                found[name] += [(f"{last}, {iou}", attributes | {"iou_threshold": iou}) for iou in IOUS]
        if task.kind == "segmentation":
            pixels = amounts([name], 200)[name]
            rare = [(power, rarity.numbers(name, "favour", power, task.classes, pixels)) for power in POWERS]
            found[name] = [("plain", {"favour": None}), *((f"favour {power}", {"favour": own}) for power, own in rare)]
    return found


def main() -> None:
    import tensorflow as tf

    from visionmtl.training import building, runs

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--every", type=int, default=1, help="of the batches every so many-th is measured")
    args = parser.parse_args()
    model, _ = runs.load_model(args.run)
    data = building.data(
        runs.read_recipe(args.run, ["data.cache=false", *args.overrides]), ["train", args.split], model
    )
    network, measured = tf.function(model), {}
    for name, each in ways(model, data.amounts).items():
        measured[name] = [(said, attributes, model.tasks[name].metrics()) for said, attributes in each]
    for images, labels, weights in data.splits[args.split].shard(args.every, 0):
        raw = network(images, training=False)
        for name, each in measured.items():
            task = model.tasks[name]
            for _, attributes, metrics in each:
                for key, value in attributes.items():
                    setattr(task, key, value)
                task.meet(model.tasks)
                predictions = task.decode(model.read_outputs(name, raw), model.image_size)
                for metric in metrics:
                    found = metric.statistics(labels[name], predictions, weights[name])
                    metric.update({key: value.numpy() for key, value in found.items()})
    for name, each in measured.items():
        figures = FIGURES[model.tasks[name].kind]
        print(name.ljust(20), *(figure.rjust(14) for figure in figures))
        for said, _, metrics in each:
            result = {key: value for metric in metrics for key, value in metric.result().items()}
            print(said.ljust(20), *(f"{result[figure]:14.4f}" for figure in figures), flush=True)


if __name__ == "__main__":
    main()
