"""Hard sharing: one backbone for all tasks, whole or up to a level.

All tasks read the same maps; with `until`, they share the stages up to that level and each continues with stages of its
own. Take it first: it is the cheapest, and the baseline every other scheme has to beat. It costs one backbone, and with
`until` also the stages after that level once a task.
"""

from visionmtl.errors import one_of


class Hard:
    """Share the backbone's stages up to and including a level.

    Args:
        until: the last level that all tasks share, such as "P3"; None shares everything.
    """

    name = "hard"

    def __init__(self, until: str | None = None):
        self.until = until

    def features(self, image, tasks, make_stages) -> dict[str, dict]:
        """Return the maps each task reads, `{task name: {"P2": ..., "P5": ...}}`.

        Args:
            image: `[B, H, W, 3]`, 0..255.
            tasks: the names of the tasks.
            make_stages: `make_stages(prefix)` builds one backbone as a list of (level, model), image -> P2 -> P3 -> ...

        Raises:
            UsageError: the backbone has no level `until`.
        """
        shared = make_stages("")
        levels = [level for level, _ in shared]
        until = one_of(self.until, levels, "level to share until") if self.until else levels[-1]
        split = levels.index(until) + 1
        trunk, x = {}, image
        for level, stage in shared[:split]:
            x = trunk[level] = stage(x)
        if split == len(levels):
            return dict.fromkeys(tasks, trunk)
        features = {}
        for task in tasks:
            branch, own = x, dict(trunk)
            for level, stage in make_stages(f"{task}_")[split:]:
                branch = own[level] = stage(branch)
            features[task] = own
        return features

    def get_config(self) -> dict:
        """Return the arguments that make this scheme again."""
        return {"until": self.until}
