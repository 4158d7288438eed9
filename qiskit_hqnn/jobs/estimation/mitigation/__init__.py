"""Error mitigation by its words: what is sampled besides the request itself, and how outcomes are corrected."""

from qiskit_hqnn.jobs.estimation.mitigation.decoupling import decoupled
from qiskit_hqnn.jobs.estimation.mitigation.extrapolation import extrapolate, fold_gates
from qiskit_hqnn.jobs.estimation.mitigation.options import MitigationOptions
from qiskit_hqnn.jobs.estimation.mitigation.readout import (
    ReadoutCalibration,
    calibration_circuit,
    flip_patterns,
    flipped,
)
from qiskit_hqnn.jobs.estimation.mitigation.twirling import GateTwirl, twirled

__all__ = [
    "GateTwirl",
    "MitigationOptions",
    "ReadoutCalibration",
    "calibration_circuit",
    "decoupled",
    "extrapolate",
    "flip_patterns",
    "flipped",
    "fold_gates",
    "twirled",
]
