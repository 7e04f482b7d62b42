"""What pruning keeps of a kernel, as a constraint: the optimizer applies it after each step."""

from __future__ import annotations

from typing import Any

from siliconv import legacy_keras

keras = legacy_keras.load()


class Masked(keras.constraints.Constraint):  # type: ignore[name-defined]
    """Keeps the pruned weights of a kernel at zero, on top of another constraint."""

    def __init__(self, mask: Any, inner: Any = None) -> None:
        self.mask, self.inner = mask, inner

    def __call__(self, kernel: Any) -> Any:
        """Zero what is pruned."""
        return (kernel if self.inner is None else self.inner(kernel)) * self.mask
