"""The classification set of `../shared/findings/hgq_anchor.md` for the jets' network, as a project to search.

Usage: python benchmarks/jets_like.py FOLDER

It is scikit-learn's `make_classification` with 16 features of which 10 inform, standardized, as fixed<8,3>: 14,000
vectors for training, 2,000 for validation, 4,000 for the test. Which of the 20,000 are in which part the finding does
not say; here they are in order.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification

PARTS = {"train": slice(14_000), "val": slice(14_000, 16_000), "test": slice(16_000, None)}
PROJECT = """version: 1
data:
  source: npz
  path: jets_like.npz
  input: {bits: 8, integer: 3, signed: true}
model: {preset: jets}
train: {epochs: 100, batch_size: 256, learning_rate: 0.003}
quantize:
  weights: 6
  biases: 8
  activations: 6
  train: {epochs: 20, batch_size: 256, learning_rate: 0.001}
hls: {part: xc7z020clg400-1, clock_ns: 10, max_multipliers: 64}
"""


def main() -> None:
    """Write the arrays and the project file."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    x, y = make_classification(
        20_000, 16, n_informative=10, n_redundant=4, n_classes=5, n_clusters_per_class=2, random_state=0
    )
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)
    arrays = {f"x_{name}": x[part] for name, part in PARTS.items()}
    arrays |= {f"y_{name}": y[part] for name, part in PARTS.items()}
    np.savez(folder / "jets_like.npz", **arrays)
    (folder / "project.yml").write_text(PROJECT, encoding="utf-8")


if __name__ == "__main__":
    main()
