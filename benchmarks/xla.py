"""What XLA makes of a training step: CPU seconds of six steps, compiled and not, on batches with other labels each.

    PYTHONPATH=.:tests:benchmarks python benchmarks/xla.py [scene | ground | objects ...]

The tasks are the toys of the tests, on their toy backbone: what is compiled, and how often, is all that this tells.
"""

import sys
import time

import keras
import toys


def main() -> None:
    for name in sys.argv[1:] or ["scene", "ground", "objects"]:
        for jit in (False, True):
            tasks = toys.tasks(name)
            model = toys.model(tasks)
            model.compile(keras.optimizers.SGD(0.01), jit_compile=jit)
            losses, seconds = [], []
            for seed in range(6):
                images, labels, weights = toys.batch(tasks, seed=seed)
                if name == "objects":
                    labels[name]["classes"][:, seed % 3 :] = -1
                begun = time.process_time()
                model.reset_metrics()
                losses.append(float(model.train_on_batch(images, labels, weights, return_dict=True)["loss"]))
                seconds.append(time.process_time() - begun)
            told = " ".join(f"{each:7.2f}" for each in seconds)
            print(f"{name:10} {'XLA' if jit else '':4} {told}   last loss {losses[-1]:.6f}", flush=True)


if __name__ == "__main__":
    main()
