"""What transpilation and a device do to a circuit."""

from qiskit_hqnn.inspection.equivalence import largest_difference
from qiskit_hqnn.inspection.error_budget import error_budget
from qiskit_hqnn.inspection.inspecting import inspect
from qiskit_hqnn.inspection.predictions import Predictions
from qiskit_hqnn.inspection.reading import read_ansatz
from qiskit_hqnn.inspection.result import DeviceInspection, Inspection
from qiskit_hqnn.inspection.timeline import draw_timeline, idle_times, schedule

__all__ = [
    "DeviceInspection",
    "Inspection",
    "Predictions",
    "draw_timeline",
    "error_budget",
    "idle_times",
    "inspect",
    "largest_difference",
    "read_ansatz",
    "schedule",
]
