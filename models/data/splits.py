"""Which image goes to training, validation and test: by class, reproducible, from the labels and a seed
alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from siliconv.errors import DataError
from siliconv.models.data.data_config import DataConfig

UNASSIGNED = -1


def chosen_splits(labels: np.ndarray, given: np.ndarray, config: DataConfig) -> tuple[np.ndarray, np.ndarray]:
    """Give which examples are used, ascending, and the split of each.

    Parameters
    ----------
    labels
        Class numbers, (n,).
    given
        0, 1, 2 for train, val, test where the source says so, `UNASSIGNED` elsewhere, (n,). Missing splits are taken
        from the training examples.
    config
        Limit, shares and seed.

    Returns
    -------
    tuple
        Numbers of examples (m,), and 0, 1 or 2 for each (m,).
    """
    chosen = np.arange(len(labels))
    if config.limit is not None:
        chosen = stratified_subset(labels, config.limit, seed=config.seed)
    given = given[chosen]
    has_validation, has_test = bool((given == 1).any()), bool((given == 2).any())
    if not (has_validation and has_test):
        given = np.where(given == 0, UNASSIGNED, given)
    return chosen, stratified_split(
        labels[chosen],
        given,
        validation=0.0 if has_validation else config.validation,
        test=0.0 if has_test else config.test,
        seed=config.seed,
    )


def check_training_classes(
    names: Sequence[str], train: np.ndarray, every: np.ndarray, config: DataConfig, *, trains: bool
) -> None:
    """Refuse a class that has examples, and none to train on.

    Parameters
    ----------
    names
        Of the classes, by number.
    train, every
        Examples of each class in the training split, and in the source (a folder of a class may be empty).
    config
        The source.
    trains
        Whether anything is trained.

    Raises
    ------
    DataError
        ``DATA-CLASSES``.
    """
    folders = config.source == "folder"
    for name, found, examples in zip(names, train, every, strict=True):
        if not trains or found or not (examples or folders):
            continue
        raise DataError(
            "DATA-CLASSES",
            f"class {name!r} has no example to train on",
            where=str(config.path or config.source),
            fix="add images to the class, or remove its folder"
            if folders
            else "store examples of the class among those to train on, or leave the class out of all splits",
        )


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
