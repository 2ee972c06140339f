"""Gradient balancers worked out again in NumPy, from the Jacobian and by other algorithms, to compare with."""

# ruff: noqa: N803  (the Jacobian J and K tasks, as in the papers)

import numpy as np


def units(J):
    """Return the rows at length 1, zeros staying zeros."""
    lengths = np.linalg.norm(J, axis=1, keepdims=True)
    return np.divide(J, lengths, out=np.zeros_like(J), where=lengths > 0)


def nnls(A, b):
    """Minimise |A x - b| over x >= 0: Lawson and Hanson 1974, chapter 23, by least squares on sets of columns."""
    x, free = np.zeros(A.shape[1]), np.zeros(A.shape[1], bool)
    for _ in range(10 * A.shape[1]):
        slope = A.T @ (b - A @ x)
        slope[free] = -np.inf
        best = int(np.argmax(slope))
        if slope[best] <= 1e-13 * np.abs(A[:, best]).sum():
            break
        free[best] = True
        while True:
            trial = np.zeros_like(x)
            trial[free] = np.linalg.lstsq(A[:, free], b, rcond=None)[0]
            if (trial[free] > 0).all():
                x = trial
                break
            low = free & (trial <= 0)
            x = x + np.min(x[low] / np.maximum(x[low] - trial[low], 1e-300)) * (trial - x)
            free &= x > 1e-15 * x.max()
            x[~free] = 0
            if not free.any():
                break
    return x


def shortest(A, h):
    """Return the shortest d with A d >= h, or None: least distance programming, Lawson and Hanson 1974, chapter 23."""
    b = np.append(np.zeros(A.shape[1]), 1.0)
    E = np.vstack([A.T, h])
    residual = E @ nnls(E, b) - b
    return None if np.abs(residual).max() < 1e-12 else -residual[:-1] / residual[-1]


def to_dual_cone(J, g):
    """Return the projection of g on the cone of d with J d >= 0."""
    return g + units(J).T @ nnls(units(J).T, -g)


def reference_mgda(J):
    lengths = np.linalg.norm(J, axis=1)
    if not lengths.all():
        return np.zeros(J.shape[1])
    return shortest(units(J), lengths.min() / lengths)  # the shortest d with g_k . d >= 1 has the hull's direction


def reference_cagrad(J, c):
    """Raise theta in: the nearest d to the mean with g_k . d >= theta, until it leaves the ball."""
    mean, U, lengths = J.mean(0), units(J), np.linalg.norm(J, axis=1)
    if not lengths.all():  # zero . d >= theta: theta cannot be above 0
        U, lengths = U[lengths > 0], lengths[lengths > 0]
        top = 0.0
    else:
        top = None
    radius = c * np.linalg.norm(mean)

    def off(theta):
        return shortest(U, theta / lengths - U @ mean)

    low, high = (U @ mean * lengths).min(), top
    if high is not None and (low >= high or (off(high) is not None and np.linalg.norm(off(high)) <= radius)):
        return None  # not unique: every direction of the ball at peace with all is as good
    if high is None:
        high = lengths.min() * np.linalg.norm(mean) * (1 + c)
    for _ in range(70):
        theta = (low + high) / 2
        d = off(theta)
        low, high = (theta, high) if d is not None and np.linalg.norm(d) < radius else (low, theta)
    return mean + off(low)


def reference_fair(J, alpha):
    """Minimise |J' w|^2 / 2 - utility(w) over log w by damped Newton."""
    lengths = np.linalg.norm(J, axis=1)
    active = lengths > 0
    J, U, lengths = J[active], units(J[active]), lengths[active]
    C, y = U @ U.T, np.ones(active.sum())
    gain = lengths ** (1 / alpha - 1)  # w = y / lengths turns G w = w^(-1/alpha) into C y = gain y^(-1/alpha)

    def value(y):
        utility = np.log(y) if alpha == 1 else y ** (1 - 1 / alpha) / (1 - 1 / alpha)
        return y @ C @ y / 2 - gain @ utility

    for _ in range(500):
        slope = C @ y - gain * y ** (-1 / alpha)
        move = np.linalg.solve(C + np.diag(gain / alpha * y ** (-1 / alpha - 1)) + 1e-14 * np.eye(len(y)), -slope)
        t = min(1.0, 0.9 / max((-move / y).max(), 1e-9))
        while value(y + t * move) > value(y) + 1e-4 * t * (slope @ move) and t > 1e-12:
            t /= 2
        y = y + t * move
    return y @ U


def reference_pcgrad(J, order):
    total = np.zeros(J.shape[1])
    for k, others in enumerate(order):
        g = J[k].copy()
        for j in others:
            if g @ J[j] < 0:
                g -= (g @ J[j]) / (J[j] @ J[j]) * J[j]
        total += g
    return total


def reference_imtl_g(J):
    lengths = np.linalg.norm(J, axis=1)
    equal = np.linalg.pinv(units(J), rcond=1e-8).sum(1)
    coefficients = np.linalg.lstsq(units(J).T, equal, rcond=1e-8)[0]
    return equal / (coefficients[lengths > 0] / lengths[lengths > 0]).sum()  # weights that sum to 1, whatever the sign


def reference_aligned(J, preferences=None):
    left, s, right = np.linalg.svd(J, full_matrices=False)
    kept = s > 1e-9 * s[0]
    return s[kept].min() * (np.ones(len(J)) if preferences is None else preferences) @ left[:, kept] @ right[kept]


def reference_config(J):
    u = np.linalg.pinv(units(J), rcond=1e-8).sum(1)
    return (J @ u).sum() * u / (u @ u)


def reference_upgrad(J):
    return sum(to_dual_cone(J, g) for g in J)


REFERENCES = {
    "longest_norm": lambda J: units(J).sum(0) * np.linalg.norm(J, axis=1).max(),
    "unit_norm": lambda J: units(J).sum(0) * np.linalg.norm(J, axis=1)[np.linalg.norm(J, axis=1) > 0].mean(),
    "mgda": reference_mgda,
    "cagrad": lambda J: reference_cagrad(J, 0.5),
    "imtl_g": reference_imtl_g,
    "config": reference_config,
    "nash_mtl": lambda J: reference_fair(J, 1.0),
    "fairgrad": lambda J: reference_fair(J, 2.0),
    "aligned_mtl": reference_aligned,
    "upgrad": reference_upgrad,
    "dual_proj": lambda J: to_dual_cone(J, J.sum(0)),
}


def reference_length(name, J):
    """Return the length of the update, K times the paper's where its weights sum to 1; None where that is not known.

    CAGrad's is over 1 + c^2. Nash-MTL's and FairGrad's equations have a scale of our choice.
    """
    wanted = REFERENCES[name](J)
    if wanted is None or name in ("nash_mtl", "fairgrad"):
        return None
    length = np.linalg.norm(wanted)
    if name == "mgda":  # g_k . d >= the shortest length m, where the hull's nearest point p has g_k . p >= |p|^2
        return len(J) * np.linalg.norm(J, axis=1).min() / length if length else 0.0
    return length * {"imtl_g": len(J), "cagrad": len(J) / (1 + 0.5**2)}.get(name, 1)
