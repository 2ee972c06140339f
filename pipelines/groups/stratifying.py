"""Groups dealt to splits whole, so that each split has its fraction of the images and of every class."""

import numpy as np

FEW = 1500  # groups of which every exchange of two is tried too
ROUNDS = 300  # of improving by one move or exchange


def assign(groups: np.ndarray, counts: np.ndarray, fractions: np.ndarray, seed: int = 0) -> np.ndarray:
    """Deal groups to splits: no group is parted, and each split has about its fraction of everything that is counted.

    Kept small is the sum, over splits and classes, of the squared deviation from the fraction divided by the fraction;
    images count as much as all classes together. Groups are dealt one by one, those that hold most of some class first,
    then moved and exchanged as long as that helps.

    Args:
        groups: int `[N]`, the group of each image, 0 to G - 1.
        counts: float `[N, C]`, how much of each class each image has; every column is taken relative to its sum.
        fractions: float `[S]` above 0, of each split; their sum is 1.
        seed: of the order of what is alike.

    Returns:
        int `[G]`, the split of each group; none is left without one.

    Raises:
        ValueError: there are fewer groups than splits.

    Reference: Sechidis, Tsoumakas, Vlahavas, On the Stratification of Multi-Label Data (2011), for groups.

    Example:
        >>> cats_and_dogs = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
        >>> sorted(assign(np.arange(4), cats_and_dogs, np.array([0.5, 0.5]))[:2].tolist())
        [0, 1]
    """
    number = int(groups.max()) + 1
    if number < len(fractions):
        raise ValueError(f"{number} groups are fewer than {len(fractions)} splits")
    images = np.bincount(groups, minlength=number)[:, None]
    held = np.zeros((number, counts.shape[1]))
    np.add.at(held, groups, counts)
    held = held[:, held.sum(axis=0) > 0]
    weights = np.concatenate([[max(1, held.shape[1])], np.ones(held.shape[1])])
    held = np.concatenate([images, held], axis=1)
    held = held / held.sum(axis=0) * np.sqrt(weights)  # so that a plain square is weighed
    wanted = np.sqrt(weights) * np.asarray(fractions)[:, None]
    owner = _dealt(held, wanted, np.asarray(fractions), np.random.default_rng(seed))
    return _improved(owner, held, wanted, np.asarray(fractions))


def _dealt(held: np.ndarray, wanted: np.ndarray, fractions: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Deal the groups `[G, C]` one by one to where each costs least; wanted is `[S, C]`."""
    shuffled = random.permutation(len(held))
    order = shuffled[np.argsort(-held[shuffled].max(axis=1), kind="stable")]
    owner, lacking = np.zeros(len(held), int), -wanted.copy()
    for group in order:
        cost = (held[group] * (2 * lacking + held[group])).sum(axis=1) / fractions
        owner[group] = split = int(cost.argmin())
        lacking[split] += held[group]
    return owner


def _improved(owner: np.ndarray, held: np.ndarray, wanted: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Move a group, or exchange two, as long as it makes the splits more alike and leaves none empty."""
    every = np.arange(len(held))
    squares = (held**2).sum(axis=1)
    for _ in range(ROUNDS):
        sums = np.stack([held[owner == split].sum(axis=0) for split in range(len(fractions))])
        sizes = np.bincount(owner, minlength=len(fractions))
        toward = 2 * held @ (sums - wanted).T / fractions  # `[G, S]`: what a group adds to a split, but for its square
        own = toward[every, owner]
        moves = toward + squares[:, None] / fractions - (own - squares / fractions[owner])[:, None]
        moves[every, owner] = np.inf
        moves[sizes[owner] == 1] = np.inf
        if (sizes == 0).any():
            moves[:, sizes > 0] = np.inf  # fill what is empty first
        group, split = np.unravel_index(moves.argmin(), moves.shape)
        gain = moves[group, split]
        if (sizes > 0).all() and len(held) <= FEW:
            pair, value = _best_exchange(owner, held, squares, toward, own, fractions)
            if value < min(gain, -1e-12):
                owner[list(pair)] = owner[list(pair[::-1])]
                continue
        if gain >= -1e-12 and (sizes > 0).all():
            break
        owner[group] = split
    return owner


def _best_exchange(
    owner: np.ndarray,
    held: np.ndarray,
    squares: np.ndarray,
    toward: np.ndarray,
    own: np.ndarray,
    fractions: np.ndarray,
) -> tuple[tuple[int, int], float]:
    """Return the two groups whose exchange helps most, and what it adds to the deviation."""
    apart = squares[:, None] + squares[None] - 2 * held @ held.T
    there = toward[:, owner]  # `[G, G]`: the first in the split of the second
    each = 1 / fractions[owner]
    change = there + there.T - own[:, None] - own[None] + apart * (each[:, None] + each[None])
    change[owner[:, None] == owner[None]] = np.inf
    first, second = np.unravel_index(change.argmin(), change.shape)
    return (int(first), int(second)), float(change[first, second])
