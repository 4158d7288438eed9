from .equivalence import largest_difference
from .error_budget import error_budget
from .gallery import write_gallery
from .inspecting import inspect
from .predictions import Predictions
from .reading import read_ansatz
from .result import DeviceInspection, Inspection
from .subject import as_sent
from .timeline import draw_timeline, idle_times, schedule

__all__ = [
    "DeviceInspection",
    "Inspection",
    "Predictions",
    "as_sent",
    "draw_timeline",
    "error_budget",
    "idle_times",
    "inspect",
    "largest_difference",
    "read_ansatz",
    "schedule",
    "write_gallery",
]
