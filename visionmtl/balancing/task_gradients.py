"""The gradients of K tasks, kept apart: taken, summed over replicas, compared and merged."""

from collections.abc import Callable, Sequence

import tensorflow as tf

# For each source, a variable or a tensor, the gradients of the tasks that reach it, by the number of the task.
TaskGradients = list[dict[int, tf.Tensor]]

ON_CPU, ON_GPU = 2**20, 2**25  # numbers of all gradients in a block of products; more do not stay in the cache
PASSES = 2  # backward passes at once
FUSED = 2**16  # numbers of a gradient from which a sum is compiled: small ones stay in the cache anyway


def of(tape: tf.GradientTape, targets: Sequence[tf.Tensor], sources: Sequence) -> TaskGradients:
    """Return the gradient of each task's target by each source that it reaches, one backward pass a task."""
    held: TaskGradients = [{} for _ in sources]
    done: list[tf.Operation] = []
    for task, target in enumerate(targets):
        # K at once would hold the gradients of K times all activations; two at once keep the cores as busy.
        with tf.control_dependencies(done[task - PASSES : task - PASSES + 1] if task >= PASSES else []):
            gradients = tape.gradient(target, sources)
        known = {place: tf.convert_to_tensor(got) for place, got in enumerate(gradients) if got is not None}
        done.append(tf.group(*known.values()))  # one edge to each operation of a later pass, not one a gradient
        for place, gradient in known.items():
            held[place][task] = gradient
    return held


def summed(held: TaskGradients, reduce: Callable[[list], list]) -> TaskGradients:
    """Return the gradients summed over the replicas by `reduce`, all in one call."""
    flat = [gradient for by_task in held for gradient in by_task.values()]
    total = iter(reduce(flat) if flat else [])
    return [{task: next(total) for task in by_task} for by_task in held]


def gramian(held: TaskGradients, tasks: int, unit: tf.Tensor | float = 1.0) -> tf.Tensor:
    """Return the inner products of the tasks' gradients, float32 `[K, K]`.

    Args:
        held: the gradients.
        tasks: K.
        unit: what the gradients are scaled by, as for float16.
    """
    reached: dict[tuple[int, ...], list[list[tf.Tensor]]] = {}
    for gradients in held:
        if gradients:
            reach = tuple(sorted(gradients))
            reached.setdefault(reach, []).append([tf.reshape(gradients[task], [-1]) for task in reach])
    total = tf.zeros((tasks, tasks))
    for reach, vectors in reached.items():
        places = tf.one_hot(reach, tasks)
        products = tf.add_n([_products(rows) for rows in _bundled(vectors)])
        total += tf.matmul(tf.matmul(places, products, transpose_a=True), places)
    return total / unit**2


def _bundled(vectors: list[list[tf.Tensor]]) -> list[list[tf.Tensor]]:
    """Put the short vectors end to end: the products of a hundred biases take as many operations, of one row a few."""
    short = [rows for rows in vectors if (rows[0].shape[0] or FUSED) < FUSED]
    long = [rows for rows in vectors if (rows[0].shape[0] or FUSED) >= FUSED]
    if not short:
        return long
    return [
        *long,
        [tf.concat([tf.cast(row, tf.float32) for row in of_task], 0) for of_task in zip(*short, strict=True)],
    ]


def _products(rows: list[tf.Tensor]) -> tf.Tensor:
    """Return the inner products float32 `[R, R]` of R vectors `[n]`, block by block.

    A block of all vectors fits the cache and is read once; whole, they would be held a second time.
    """
    size, block = rows[0].shape[0], (ON_GPU if tf.config.list_physical_devices("GPU") else ON_CPU) // len(rows)
    block -= block % 64  # where a slice begins at an aligned address it is not copied

    def products(start: int | tf.Tensor, length: int) -> tf.Tensor:
        taken = tf.stack([tf.cast(tf.slice(row, [start], [length]), tf.float32) for row in rows])
        return tf.matmul(taken, taken, transpose_b=True)

    if size is None or size <= block:
        return products(0, -1)
    whole = size // block
    total = tf.zeros((len(rows), len(rows)))
    if size % block:
        total = products(whole * block, size % block)
    _, total = tf.while_loop(
        lambda step, _: step < whole,
        lambda step, total: (step + 1, total + products(step * block, block)),
        (tf.constant(0), total),
        maximum_iterations=whole,
    )
    return total


def joined(held: TaskGradients, tasks: int) -> TaskGradients:
    """Return the gradients of K tasks from those of two sub-batches, K of the one and K of the other."""
    whole: TaskGradients = []
    for by_task in held:
        sums: dict[int, tf.Tensor] = {}
        for place, gradient in by_task.items():
            sums[place % tasks] = sums[place % tasks] + gradient if place % tasks in sums else gradient
        whole.append(sums)
    return whole


def own_joined(held: TaskGradients, tasks: int) -> TaskGradients:
    """Return the gradients of two sub-batches, joined where one task alone reaches a source: nothing compares these."""
    return [whole if len(whole) == 1 else by_task for whole, by_task in zip(joined(held, tasks), held, strict=True)]


def across(gramian: tf.Tensor, counts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the Gramian `[K, K]` of a batch, and the product `[K, K]` of the mean gradients of its two halves.

    Two tasks of which one has no label in its half have the Gramian's entry: there is nothing else to take.

    Args:
        gramian: `[2 K, 2 K]`, of what each half adds to each task's gradient.
        counts: `[2, K]`, the weight of the labelled samples of each half.
    """
    tasks = counts.shape[1]
    blocks = tf.reshape(gramian, (2, tasks, 2, tasks))
    whole = tf.reduce_sum(blocks, axis=(0, 2))
    scales = tf.math.divide_no_nan(tf.reduce_sum(counts, axis=0), counts)
    scales = scales[0][:, None] * scales[1]
    return whole, tf.where(scales > 0, blocks[0, :, 1] * scales, whole)


def weighted_sum(gradients: dict[int, tf.Tensor], weights: tf.Tensor) -> tf.Tensor:
    """Return `sum_k weights_k * gradient_k` over the tasks that reach a source; `weights` is `[K]`."""
    rows = list(gradients.values())
    factors = [tf.cast(weights[task], rows[0].dtype) for task in gradients]
    large = (rows[0].shape.num_elements() or 0) > FUSED
    return _fused_sum(rows, factors) if large and _fuses() else _sum(rows, factors)


def _sum(rows: list[tf.Tensor], factors: list[tf.Tensor]) -> tf.Tensor:
    return tf.add_n([row * factor for row, factor in zip(rows, factors, strict=True)])


# One pass over all rows, where the operations one by one would write every product and read it again.
_fused_sum = tf.function(_sum, jit_compile=True, autograph=False)


def _fuses() -> bool:
    """Return whether XLA compiles for the devices there are: it does not for GPUs that a plug-in brings."""
    return tf.test.is_built_with_cuda() or not tf.config.list_physical_devices("GPU")


def cosines(matrix: tf.Tensor) -> tf.Tensor:
    """Return the cosine similarities `[K, K]` of a Gramian; 0 beside a gradient that is zero."""
    lengths = tf.sqrt(tf.linalg.diag_part(matrix))
    return tf.math.divide_no_nan(matrix, lengths * lengths[:, None])
