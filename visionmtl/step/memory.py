"""What is said where there was no memory for a step: of what, and what would fit."""


def wanting(step: str) -> str:
    """Return the beginning of the sentence, of a step of what there was no memory for."""
    return f"There is not enough memory for a step of {step}"


def images(count: int | None, height: int, width: int) -> str:
    """Return the images of a step in words; None for a number that is not known."""
    return f"{'so many' if count is None else count} images of {height} x {width} pixels"


def half(batch: int, replicas: int = 1) -> int:
    """Return the size of a batch that takes half of what one of `batch` does, and that all replicas share; 0 for none.

    Example:
        >>> half(6), half(6, replicas=2), half(1)
        (3, 2, 0)
    """
    return batch // 2 // replicas * replicas


LESS, HALF = "less", "about half of it"  # what is taken of memory
