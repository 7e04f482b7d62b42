"""Labels of an array as classes: names, whole numbers or one-hot rows; anything else is refused, never cut to fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from siliconv.errors import DataError

_LARGEST = 2.0**53
"""Up to here a floating-point number that is whole says which whole number it is."""

_SHOWN = 3


def class_labels(labels: np.ndarray, count: int, path: Path) -> np.ndarray:
    """Give one label an image, (n,): whole numbers (int64) or names.

    Parameters
    ----------
    labels
        As they are stored: (n,), (n, 1), or one-hot rows (n, classes).
    count
        Number of images.
    path
        The file, for messages.

    Raises
    ------
    DataError
        ``DATA-LABELS`` for what names no class: real numbers, NaN, rows that mark several classes or none, images.
        ``DATA-LAYOUT`` for another number of labels than images.
    """
    if labels.ndim == 0 or len(labels) != count:
        raise DataError(
            "DATA-LAYOUT",
            f"{count} examples have {len(labels) if labels.ndim else 'a single number for their'} labels",
            where=str(path),
            fix="store one label an example, as numbers, names or one-hot rows",
        )
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind not in "biufU":
        raise _refused(f"labels are of the type {labels.dtype}", path)
    if labels.ndim > 1 and labels.size != count:
        if labels.ndim > 2:
            raise _refused(f"labels have the shape {labels.shape}, like images", path)
        return _of_rows(labels, path)
    labels = labels.reshape(-1)
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise _refused(f"{int((~np.isfinite(labels)).sum())} labels are NaN or infinite", path)
        wrong = (labels != np.round(labels)) | (np.abs(labels) > _LARGEST)
        if wrong.any():
            shown = ", ".join(f"{value:g}" for value in labels[wrong][:_SHOWN].tolist())
            raise _refused(f"{int(wrong.sum())} labels are no whole numbers, such as {shown}", path)
    return labels.astype(np.int64) if labels.dtype.kind in "fb" else labels


def _of_rows(rows: np.ndarray, path: Path) -> np.ndarray:
    if rows.dtype.kind == "U" or not np.isin(rows, (0, 1)).all():
        raise _refused(f"labels are rows of {rows.shape[1]} values that are not 0 or 1", path)
    marked = rows.astype(bool).sum(axis=1)
    if (marked != 1).any():
        several, none = int((marked > 1).sum()), int((marked == 0).sum())
        raise _refused(f"of {len(rows)} rows of labels {several} mark several classes and {none} none", path)
    return rows.argmax(axis=1)


def _refused(what: str, path: Path) -> DataError:
    return DataError(
        "DATA-LABELS",
        f"{what}; this network says which one class an example is",
        where=str(path),
        fix="store one class an example: a whole number, a name, or a one-hot row of 0 and a single 1; one output a "
        "number is trained on numbers (task: regression), one a label on rows of 0 and 1 (task: multilabel)",
    )
