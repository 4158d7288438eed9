"""Estimator PUBs as sampling requests, and their outcomes as expectation values, mitigated or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit_hqnn.jobs.estimation.estimation import Estimation, prepare

__all__ = ["Estimation", "prepare"]


def __getattr__(name: str) -> Any:
    # On first use: a job file that names its mitigation is read without Qiskit.
    if name in __all__:
        from qiskit_hqnn.jobs.estimation import estimation

        return getattr(estimation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
