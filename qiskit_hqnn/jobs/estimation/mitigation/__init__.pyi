from .decoupling import decoupled
from .extrapolation import extrapolate, fold_gates, zero_noise, zero_noise_weights
from .options import MitigationOptions
from .readout import (
    ReadoutCalibration,
    calibration_circuit,
    flip_patterns,
    flipped,
    m3_calibration,
    pooled,
    trex_calibration,
    unflipped,
)
from .twirling import GateTwirl, twirled

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
    "m3_calibration",
    "pooled",
    "trex_calibration",
    "twirled",
    "unflipped",
    "zero_noise",
    "zero_noise_weights",
]
