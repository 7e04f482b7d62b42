"""Which image goes to training, validation and test: by class, reproducible, from the labels and a seed
alone.
"""

from __future__ import annotations

import numpy as np

UNASSIGNED = -1


def stratified_split(labels: np.ndarray, given: np.ndarray, *, validation: float, test: float, seed: int) -> np.ndarray:
    """Complete a partial assignment of images to splits, class by class.

    Parameters
    ----------
    labels
        Class numbers, (n,).
    given
        0, 1, 2 for train, val, test where the source says so, `UNASSIGNED` elsewhere, (n,).
    validation, test
        Shares of the unassigned images of each class; the rest is for training.
    seed
        The same labels and seed give the same split.

    Returns
    -------
    ndarray
        0, 1 or 2 for every image.
    """
    assigned = given.copy()
    for label in np.unique(labels):
        free = np.flatnonzero((labels == label) & (given == UNASSIGNED))
        order = np.random.default_rng([seed, int(label)]).permutation(free)
        n_test, n_val = round(len(free) * test), round(len(free) * validation)
        assigned[order[:n_test]] = 2
        assigned[order[n_test : n_test + n_val]] = 1
        assigned[order[n_test + n_val :]] = 0
    return assigned


def stratified_subset(labels: np.ndarray, limit: int, *, seed: int) -> np.ndarray:
    """Return the numbers, ascending, of about `limit` images with the classes in their proportions."""
    if limit >= len(labels):
        return np.arange(len(labels))
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = np.random.default_rng([seed, int(label), 1]).permutation(len(members))
        rank[members] = (order + 0.5) / len(members)
    return np.sort(np.argsort(rank, kind="stable")[:limit])
