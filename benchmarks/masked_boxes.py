"""What a detection gains that asks the mask of another task: a trained run measured without and with it.

    PYTHONPATH=. python benchmarks/masked_boxes.py RUN [data.<key>=value ...] [--split validation]

The model is the same, bit for bit; see `mask` of `visionmtl.Detection`. Nothing is written into the run.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

FIGURES = ("AP", "AP50", "AP75")


def main() -> None:
    import tensorflow as tf

    from visionmtl.tasks import fitting
    from visionmtl.training import building, runs

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--split", default="validation")
    parser.add_argument("--detection", default="detection", help="the task whose boxes are measured")
    parser.add_argument("--mask", default="segmentation", help="the task whose mask they read")
    parser.add_argument("--least", type=float, help="in place of what the contrast is at least")
    parser.add_argument("--power", type=float, help="in place of the contrast's power")
    parser.add_argument("--ring", type=float, help="in place of the ring's width in pixels")
    args = parser.parse_args()
    for name in ("least", "power", "ring"):
        if (value := getattr(args, name)) is not None:
            setattr(fitting, name.upper(), value)
    model, _ = runs.load_model(args.run)
    data = building.data(runs.read_recipe(args.run, args.overrides), [args.split], model)
    task, network = model.tasks[args.detection], tf.function(model)
    ways: dict = {None: None, args.mask: None}
    for mask in ways:
        task.mask = mask
        task.meet(model.tasks)
        ways[mask] = task.metrics()
    for images, labels, weights in data.splits[args.split]:
        raw = network(images, training=False)
        for mask, metrics in ways.items():
            task.mask = mask
            predictions = task.decode(model.read_outputs(task.name, raw), model.image_size)
            for metric in metrics:
                found = metric.statistics(labels[task.name], predictions, weights[task.name])
                metric.update({key: value.numpy() for key, value in found.items()})
    print("mask".ljust(16), *(name.rjust(8) for name in FIGURES))
    for mask, (metric, *_) in ways.items():
        result = metric.result()
        print(str(mask).ljust(16), *(f"{result[name]:8.4f}" for name in FIGURES), flush=True)


if __name__ == "__main__":
    main()
