"""The `csim` section of a project: what the simulations behind the certificates run on."""

from __future__ import annotations

from pydantic import BaseModel, Field

from siliconv.bounded_reading import SECTION


class CsimConfig(BaseModel):
    """The C simulation behind the certificate, and the simulation of the SystemVerilog."""

    model_config = SECTION

    images: int = Field(32, ge=1, le=1_000_000, description="test images to simulate, spread over the test set")
    corner_vectors: bool = Field(True, description="also all-zero, all-highest, checkerboard, random inputs")
    jobs: int = Field(-1, ge=-1, le=1024, description="processes; -1 for one a core")
    dask: str | None = Field(
        None,
        min_length=1,
        description="address of a Dask scheduler (tcp://10.0.0.1:8786), whose workers simulate in place of processes",
    )
    timeout_s: float = Field(
        600.0,
        ge=0.01,
        le=1e7,
        description="seconds for the few images that a process simulates at a time, before it is stuck",
    )
