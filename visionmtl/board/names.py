"""The names of curves and pictures: TensorBoard shows their groups by the alphabet, and opens on the first."""

from collections.abc import Iterable

LOSSES, METRICS, PICTURES, SHARING, TASKS, TRAINING = "losses", "metrics", "pictures", "sharing", "tasks", "training"
VARIABLES, GRADIENTS = "variables", "weights_and_gradients"  # the last


def of_log(log: str, tasks: Iterable[str] = ()) -> str:
    """Return the name of a log's curve, without its `val_`: those of a task stand together.

    Args:
        log: as Keras has it.
        tasks: the names of the tasks, without which metrics are not grouped.

    Example:
        >>> of_log("loss"), of_log("cars_loss"), of_log("cars_AP50", ["cars"]), of_log("score", ["cars"])
        ('losses/total', 'losses/cars', 'metrics/cars/AP50', 'metrics/score')
        >>> of_log("learning_rate"), of_log("weight/cars"), of_log("labelled/cars")
        ('training/learning_rate', 'weights_and_gradients/weight/cars', 'tasks/labelled/cars')
    """
    if log == "loss":
        return f"{LOSSES}/total"
    if log.endswith("_loss"):
        return f"{LOSSES}/{log.removesuffix('_loss')}"
    if log.startswith("weight/"):
        return f"{GRADIENTS}/{log}"
    if log.startswith(("share/", "labelled/")):
        return f"{TASKS}/{log}"
    if log in ("learning_rate", "skipped_steps"):
        return f"{TRAINING}/{log}"
    task = max((task for task in tasks if log.startswith(f"{task}_")), key=len, default=None)
    return f"{METRICS}/{log}" if task is None else f"{METRICS}/{task}/{log.removeprefix(f'{task}_')}"
