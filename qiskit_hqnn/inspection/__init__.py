"""What transpilation and a device do to a circuit."""

from qiskit_hqnn.inspection.equivalence import largest_difference
from qiskit_hqnn.inspection.error_budget import error_budget
from qiskit_hqnn.inspection.inspecting import DeviceInspection, Inspection, inspect

__all__ = ["DeviceInspection", "Inspection", "error_budget", "inspect", "largest_difference"]
