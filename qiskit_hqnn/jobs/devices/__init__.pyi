from .aer_gates import for_aer
from .delays import with_device_delays
from .device import (
    REP_DELAY,
    CutDevice,
    Device,
    calibration_id,
    check_snapshot,
    cut_target,
    device_of,
    resolve_device,
    snapshot_names,
)
from .fractional import folded, with_folded_numbers
from .identity import circuit_bytes
from .pass_managers import transpiled
from .pinned import PinnedCalibration
from .templates import Templates, without_phase
from .transpiling import (
    LEVELS,
    SEEDS,
    ISATemplate,
    candidates,
    check_isa,
    coupled_pairs,
    expected_success,
    fingerprint,
    gate_error,
    scheduled_duration,
    transpile_template,
)

__all__ = [
    "LEVELS",
    "REP_DELAY",
    "SEEDS",
    "CutDevice",
    "Device",
    "ISATemplate",
    "PinnedCalibration",
    "Templates",
    "calibration_id",
    "candidates",
    "check_isa",
    "check_snapshot",
    "circuit_bytes",
    "coupled_pairs",
    "cut_target",
    "device_of",
    "expected_success",
    "fingerprint",
    "folded",
    "for_aer",
    "gate_error",
    "resolve_device",
    "scheduled_duration",
    "snapshot_names",
    "transpile_template",
    "transpiled",
    "with_device_delays",
    "with_folded_numbers",
    "without_phase",
]
